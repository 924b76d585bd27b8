# Lists the recipes.
default:
    @just --list

# Runs hello-module with its flow on a local plane.
hello:
    cargo run -- run --name hello-module --apply examples/hello-module/flow.yaml

# All tests that need nothing but Rust.
test:
    cargo test --workspace

# Prints the CRDs.
manifests:
    @cargo run --quiet -- crds

# Installs the CRDs into the current cluster.
install:
    helm upgrade --install tiny-crds charts/tiny-crds

# Runs hello-module here, on the current cluster.
run namespace="tinysystems":
    cargo run -- run --cluster --namespace {{namespace}}

# Makes the image of hello-module, as an archive.
image:
    cargo run -- build --output target/image/hello-module.tar

# Makes it and pushes it, such as to ghcr.io/me/hello-module:0.1.0.
push ref:
    cargo run -- build --push {{ref}} --values target/image/hello-module.values.yaml

# Installs or upgrades hello-module with the image that was made last.
deploy namespace="tinysystems":
    helm upgrade --install hello-module charts/tiny-operator --namespace {{namespace}} --create-namespace --wait \
        --values target/image/hello-module.values.yaml

# Uninstalls it; its nodes and flows stay.
undeploy namespace="tinysystems":
    helm uninstall hello-module --namespace {{namespace}} --wait

# What CI runs.
ci:
    .ci/run

# Rewrites generated files: CRDs, tables of values, expansions, compile errors, the code of the wire.
bless:
    BLESS=1 cargo test -p tiny-crds --test charts
    BLESS=1 cargo test -p tiny-tests --test charts tables
    BLESS=1 cargo test -p tiny-macros
    BLESS=1 cargo test -p tiny-runtime --lib mapping::tests::docs
    BLESS=1 cargo test -p tiny-runtime --test engine mistakes
    BLESS=1 cargo test -p tiny-tests --test editor --test scaffold --test proto --test charts --test pictures
    TRYBUILD=overwrite cargo test -p tiny-runtime --test ui

# Renders the charts anew with this Helm 4.
renders helm=".ci/tools/bin/helm":
    TINY_HELM={{absolute_path(helm)}} BLESS=1 cargo test -p tiny-tests --test charts renders_are_current

# Measures hops and mappings against their floors.
bench:
    cargo bench -p tiny-runtime

# Measures flows, beside Node-RED where it is found, and writes docs/benchmarks.md.
benchmarks seconds="4":
    .ci/benchmarks {{seconds}}

# Measures a request over HTTP beside Node-RED and a bare axum handler, and writes docs/web.md.
web seconds="8":
    .ci/web {{seconds}}

# Measures an idle module with 100 nodes: CPU, memory, writes.
idle seconds="300":
    cargo build --release
    .ci/idle {{seconds}}

# Measures what the macros cost the compiler.
expansion components="100" rounds="5":
    .ci/expansion {{components}} {{rounds}}

# Plants bugs in the inference of proofs: the tests must find each.
planted:
    .ci/planted

# Runs the long suites, each for some minutes, and so many rounds of short and long faults; writes docs/faults.md. Goes on where it was stopped.
soak minutes="10" short="100" long="20":
    .ci/soak {{minutes}} {{short}} {{long}}
