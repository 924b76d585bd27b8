//! What a README types, and what it shows below.

use crate::root;

/// A command of a README.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Its words, as a shell reads them where single quotes are all there is.
    pub words: Vec<String>,
    /// The lines below it.
    pub shown: String,
}

impl Typed {
    /// The commands of a file, named from the root of the repository: lines that begin with `$ ` in code blocks.
    pub fn of(readme: &str) -> Vec<Self> {
        let text = std::fs::read_to_string(root().join(readme)).expect("there is such a README");
        let mut typed: Vec<Self> = Vec::new();
        let mut is_console = false;
        for line in text.lines() {
            if line.starts_with("```") {
                is_console = line == "```console";
            } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
                typed.push(Self { words: words(command), shown: String::new() });
            } else if let Some(last) = typed.last_mut().filter(|_| is_console) {
                last.shown += &format!("{line}\n");
            }
        }
        typed
    }

    /// The package whose binary it runs, and with what; `None` where it is another program.
    pub fn binary(&self) -> Option<(&str, &[String])> {
        match &*self.words {
            [cargo, run, p, package, line, args @ ..]
                if [cargo, run, p, line] == ["cargo", "run", "-p", "--"] =>
            {
                Some((package, args))
            }
            _ => None,
        }
    }
}

fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, part) in command.split('\'').enumerate() {
        if at % 2 == 1 {
            words.last_mut().expect("there is one").push_str(part);
            continue;
        }
        for (at, word) in part.split(' ').enumerate() {
            if at > 0 {
                words.push(String::new());
            }
            words.last_mut().expect("there is one").push_str(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
