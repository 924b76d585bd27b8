//! The other end: a process of this binary.

use std::io::{BufRead, BufReader, Lines, Write, stdin};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::time::{ClockId, clock_gettime};

/// CPU of this process so far, in nanoseconds.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// A process that serves, and says what it has used. It ends with this one.
pub(crate) struct End {
    pub(crate) address: String,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    child: Child,
}

impl End {
    pub(crate) fn start(role: &str) -> Self {
        let own = std::env::current_exe().expect("this binary has a path");
        let mut command = Command::new(own);
        command.arg(role).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this binary starts");
        let questions = child.stdin.take().expect("it is piped");
        let output = child.stdout.take().expect("it is piped");
        let mut answers = BufReader::new(output).lines();
        let address = answers.next().expect("it says where it is").expect("it can be read");
        Self { address, questions, answers, child }
    }

    pub(crate) fn cpu(&mut self) -> f64 {
        self.questions.write_all(b"?\n").expect("it listens");
        let answer = self.answers.next().expect("it answers").expect("it can be read");
        answer.parse().expect("it answers with a number")
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

/// Says where this process serves, and whenever it is asked what CPU it has used; until nobody asks any more.
pub(crate) async fn answer(address: String) {
    let answering = tokio::task::spawn_blocking(move || {
        println!("{address}");
        for _ in stdin().lock().lines() {
            println!("{}", cpu());
        }
    });
    answering.await.expect("somebody listens");
}
