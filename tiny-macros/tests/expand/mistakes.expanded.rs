struct A<T>(T);
::core::compile_error! {
    "`#[component]` on a struct does not know `nme`, did you mean `name`? (its words are `name`, `tags`, `aliases`, `concurrency`, `sequential` and `crate`)"
}
::core::compile_error! {
    "component `A` has no name: write `#[component(name = \"a\")]`, flows use it"
}
::core::compile_error! {
    "component `A` has no doc comment: write what it does, flow authors read it"
}
::core::compile_error! {
    "component `A` cannot be generic: it is registered once, by its name"
}
impl A {
    fn input(&mut self, message: In) {
        half.typed
    }
    #[allow(unused_variables, reason = "there is no body yet")]
    async fn output(&self, ctx: &Ctx) -> Result {
        ::core::unreachable!()
    }
}
#[automatically_derived]
impl ::tiny_runtime::component::Ports for A {
    fn ports(_: &mut ::tiny_runtime::component::Table<Self>) {}
}
const _: () = ::tiny_runtime::component::is_component::<A>();
::core::compile_error! {
    "port `input` is not async: write `async fn input`"
}
::core::compile_error! {
    "port `input` must take `&self`: a node that awaits a reply still receives, keep what changes in a cell"
}
::core::compile_error! {
    "port `input` must take `ctx: &Ctx` second: it takes `&self, ctx: &Ctx, message: T`"
}
::core::compile_error! {
    "port `input` must return `Result` (any reply), `Result<()>` (none) or `Result<T>`"
}
::core::compile_error! {
    "port `input` has no doc comment: write what it is for, flow authors read it"
}
::core::compile_error! {
    "port `output` takes no message: it takes `&self, ctx: &Ctx, message: T`"
}
::core::compile_error! {
    "port `output` has no doc comment: write what it is for, flow authors read it"
}
struct B<'a> {
    b: &'a str,
}
::core::compile_error! {
    "field `b` has no doc comment: write what it holds, flow authors read it"
}
::core::compile_error! {
    "a message owns its data: take `String` for `&str`, `Vec<T>` for `&[T]`"
}
