//! Which error port takes what.

use serde_json::json;
use tiny_runtime::prelude::*;

/// One kind of message.
#[message]
#[derive(PartialEq)]
struct One {
    /// Its number.
    one: u64,
}

/// Another kind.
#[message]
#[derive(PartialEq)]
struct Two {
    /// Its number.
    two: u64,
}

/// Fails.
#[component(name = "fails")]
#[derive(Default)]
struct Fails;

#[component]
impl Fails {
    /// Takes one.
    #[port(target)]
    async fn one(&self, _ctx: &Ctx, _message: One) -> Result<()> {
        Err(Error::permanent("no one"))
    }

    /// Takes two.
    #[port(target)]
    async fn two(&self, _ctx: &Ctx, _message: &Two) -> Result<Option<Two>> {
        Err(Error::permanent("no two"))
    }

    /// What failed of one.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<One>) -> Result;

    /// What else failed.
    #[port(error)]
    async fn rest(&self, ctx: &Ctx, failure: Failure<Json>) -> Result;
}

#[tokio::test(start_paused = true)]
async fn the_port_for_any_json_takes_what_no_other_takes() {
    let bench = Bench::<Fails>::new();
    bench.reply(Fails::ERROR, "caught".to_owned()).reply(Fails::REST, Two { two: 7 });
    bench.send(Fails::ONE, One { one: 1 }).await.unwrap();
    let answer = bench.send(Fails::TWO, Two { two: 2 }).await.unwrap();
    assert_eq!(answer, Some(Two { two: 7 }), "the reply of the error port is the reply");
    assert_eq!(bench.sent(Fails::ERROR)[0].context, One { one: 1 });
    let rest = bench.sent(Fails::REST);
    assert_eq!(rest.len(), 1);
    assert_eq!((&*rest[0].context, &*rest[0].error), (&json!({"two": 2}), "no two"));
}
