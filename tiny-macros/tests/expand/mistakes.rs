#[component(nme = "a")]
struct A<T>(T);

#[component]
impl A {
    #[port(target)]
    fn input(&mut self, message: In) {
        half.
        typed
    }

    #[port(source)]
    async fn output(&self, ctx: &Ctx) -> Result;
}

#[message]
struct B<'a> {
    #[serde(rename = "c")]
    b: &'a str,
}
