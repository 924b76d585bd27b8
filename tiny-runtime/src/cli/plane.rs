//! Which plane a command talks to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use tiny_crds::{TinyNode, manifest};

use super::invocation;
use crate::image::IN_IMAGE;
use crate::local::{Member, Share, Wish, living, patient};
use crate::words::innermost;

/// The longest wait for a plane to answer its first request.
const PATIENCE: Duration = Duration::from_secs(10);
/// From one look for the host of a local plane to the next.
const LOOK: Duration = Duration::from_millis(50);
/// Where objects are unless somebody says otherwise.
const NAMESPACE: &str = "tinysystems";
/// The folder of a local plane.
const FOLDER: &str = ".tiny";
/// Where a pod finds its account, and its namespace.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const OF_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Without one of these: the local plane in `.tiny/`, whatever ~/.kube/config holds
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Plane")]
pub(super) struct PlaneArgs {
    /// Namespace of the objects
    #[arg(long, default_value_t = namespace())]
    pub(super) namespace: String,
    /// Talk to the cluster of this kubeconfig
    #[arg(short = 'k', long, value_name = "FILE", conflicts_with = "local")]
    kubeconfig: Option<PathBuf>,
    /// Talk to the cluster of this kubectl context
    #[arg(long, value_name = "NAME", conflicts_with = "local")]
    context: Option<String>,
    /// Talk to the cluster of the current kubectl context
    #[arg(long, conflicts_with = "local")]
    cluster: bool,
    /// Use the local plane, in this folder if one is named
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    local: Option<Option<PathBuf>>,
}

/// A plane that answers.
pub(super) struct Plane {
    pub(super) client: Client,
    /// The same without retries of its own, for controllers: they try again themselves, and look first whether they still lead.
    pub(super) without_retries: Client,
    /// What and where it is, in a few words.
    pub(super) title: String,
    /// Whether it is one of this machine.
    pub(super) is_local: bool,
    /// This process's share in it, when it is local and this process lasts.
    pub(super) share: Option<Share>,
}

impl Plane {
    /// Lets go of what this process has of it.
    pub(super) async fn leave(self) {
        if let Some(share) = self.share {
            share.leave().await;
        }
    }
}

/// Where to look for a plane.
#[derive(Debug, PartialEq)]
enum Choice {
    Kubeconfig { file: Option<PathBuf>, context: Option<String> },
    Pod,
    Local(Option<PathBuf>),
}

/// The namespace that is meant when none is named: in a pod its own.
pub(super) fn namespace() -> String {
    let own = std::fs::read_to_string(OF_ACCOUNT).unwrap_or_default();
    match own.trim() {
        "" => NAMESPACE.to_owned(),
        own => own.to_owned(),
    }
}

/// What decides beside the flags.
struct Surroundings {
    in_pod: bool,
    has_account: bool,
    /// The process runs in an image that `build` made.
    in_image: bool,
}

impl Surroundings {
    fn here() -> Self {
        Self {
            in_pod: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            has_account: Path::new(ACCOUNT).exists(),
            in_image: std::env::var_os(IN_IMAGE).is_some(),
        }
    }
}

impl PlaneArgs {
    /// The plane to run on. A local one that nobody hosts is hosted in this process, on `port` if one is named; one that somebody hosts
    /// is shared.
    pub(super) async fn start(&self, port: Option<u16>, member: Member) -> Result<Plane> {
        match self.choice(&Surroundings::here())? {
            Choice::Local(folder) => self.share_local(folder, port, member).await,
            choice => self.cluster(choice).await,
        }
    }

    /// The folder of the local plane, unless another plane was asked for.
    pub(super) fn folder(&self) -> Result<PathBuf> {
        match self.choice(&Surroundings::here())? {
            Choice::Local(folder) => to_start(folder),
            _ => bail!(
                "`plane` hosts a local plane: leave out --cluster, --context and --kubeconfig"
            ),
        }
    }

    /// The plane to send a command to; a local one must be running.
    pub(super) async fn connect(&self) -> Result<Plane> {
        match self.choice(&Surroundings::here())? {
            Choice::Local(folder) => self.connect_local(folder).await,
            choice => self.cluster(choice).await,
        }
    }

    /// The same without a look at what it has: for an account that may do one thing only.
    pub(super) async fn connect_blindly(&self) -> Result<Plane> {
        match self.choice(&Surroundings::here())? {
            Choice::Local(folder) => self.connect_local(folder).await,
            choice => self.unprepared(choice).await,
        }
    }

    /// The plane, if one is there: a local one that does not run is none, unless it was asked for.
    pub(super) async fn connect_if_there(&self) -> Result<Option<Plane>> {
        match self.choice(&Surroundings::here())? {
            Choice::Local(None) if self.local.is_none() => Ok(self.connect_local(None).await.ok()),
            Choice::Local(folder) => self.connect_local(folder).await.map(Some),
            choice => self.cluster(choice).await.map(Some),
        }
    }

    /// What a further command needs to talk to the same plane.
    pub(super) fn flags(&self) -> String {
        let mut flags = String::new();
        if self.namespace != namespace() {
            flags += &format!(" --namespace {}", self.namespace);
        }
        if let Some(Some(folder)) = &self.local {
            flags += &format!(" --local={}", folder.display());
        }
        if let Some(file) = &self.kubeconfig {
            flags += &format!(" --kubeconfig {}", file.display());
        }
        if let Some(context) = &self.context {
            flags += &format!(" --context {context}");
        }
        if self.cluster {
            flags += " --cluster";
        }
        flags
    }

    fn choice(&self, around: &Surroundings) -> Result<Choice> {
        tiny_crds::names::check_dns_name(&self.namespace)
            .map_err(|e| anyhow!("--namespace: {e}"))?;
        if let Some(folder) = &self.local {
            return Ok(Choice::Local(folder.clone()));
        }
        if self.kubeconfig.is_some() || self.context.is_some() || self.cluster {
            let (file, context) = (self.kubeconfig.clone(), self.context.clone());
            return Ok(Choice::Kubeconfig { file, context });
        }
        match around {
            Surroundings { in_pod: true, has_account: true, .. } => Ok(Choice::Pod),
            Surroundings { in_pod: true, has_account: false, .. } => bail!(
                "this is a pod (KUBERNETES_SERVICE_HOST is set) without a service account token, so it cannot talk to \
                 its cluster; give it a service account, or say --local for a plane of its own"
            ),
            Surroundings { in_image: true, .. } => bail!(
                "this is an image outside of a cluster (KUBERNETES_SERVICE_HOST is not set): name a cluster with --kubeconfig FILE, or \
                 say --local DIR for a plane of its own in a folder that it may write to, such as --local /tmp"
            ),
            Surroundings { in_pod: false, .. } => Ok(Choice::Local(None)),
        }
    }

    async fn share_local(
        &self,
        folder: Option<PathBuf>,
        port: Option<u16>,
        member: Member,
    ) -> Result<Plane> {
        let folder = to_start(folder)?;
        let namespace = self.namespace.clone();
        let crds = manifest::crds();
        let wish = Wish { folder: folder.clone(), crds, namespace, port, member };
        let share = Share::take(wish).await?;
        if let Some((own, address)) = share.hosted() {
            let client = own.client(&self.namespace);
            return Ok(Plane {
                without_retries: client.clone(),
                client,
                title: format!("local, {} at https://{address}", shown(&folder)),
                is_local: true,
                share: Some(share),
            });
        }
        match self.join(&folder, port, &share).await {
            Ok((client, without_retries, title)) => {
                Ok(Plane { client, without_retries, title, is_local: true, share: Some(share) })
            }
            Err(error) => {
                share.leave().await;
                Err(error)
            }
        }
    }

    /// Waits until the host of the plane answers, whoever that is by then.
    async fn join(
        &self,
        folder: &Path,
        port: Option<u16>,
        share: &Share,
    ) -> Result<(Client, Client, String)> {
        let reached = async {
            loop {
                match self.reach(folder).await {
                    Err(e) if !is_refusal(&e) => tokio::time::sleep(LOOK).await,
                    // What refuses would do so again.
                    reached => return reached,
                }
            }
        };
        let host =
            || share.host().map_or("another process".into(), |host| format!("process {host}"));
        let Ok(reached) = tokio::time::timeout(PATIENCE, reached).await else {
            bail!(
                "the local plane in {} is hosted by {}, which does not answer; end that process and try again",
                folder.display(),
                host()
            );
        };
        let config = reached?;
        let url = config.cluster_url.clone();
        if let Some(port) = port.filter(|port| url.port_u16() != Some(*port)) {
            bail!(
                "the local plane in {} is at {} already, hosted by {}; leave out --port {port}",
                folder.display(),
                trimmed(&url),
                host()
            );
        }
        let (client, without_retries) = clients(config, &self.namespace)?;
        let title = format!("local, {} at {}, hosted by {}", shown(folder), trimmed(&url), host());
        Ok((patient(&client), patient(&without_retries), title))
    }

    /// How to reach whoever answers where the kubeconfig of the folder says, once that has our namespace.
    async fn reach(&self, folder: &Path) -> Result<Config> {
        let config = config(Some(&folder.join("kubeconfig")), None).await?;
        let (_, client) = clients(config.clone(), &self.namespace)?;
        ensure(&client, &self.namespace).await?;
        Ok(config)
    }

    async fn connect_local(&self, folder: Option<PathBuf>) -> Result<Plane> {
        let start = format!("start it with `{} run --name …`", invocation());
        let Some(folder) = folder.or_else(found) else {
            bail!(
                "there is no local plane: neither this folder nor one above it has `{FOLDER}/`; {start}, or name a \
                 cluster with --cluster, --context or --kubeconfig"
            );
        };
        let file = folder.join("kubeconfig");
        if !file.exists() {
            bail!("`{}` holds no local plane; {start}", folder.display());
        }
        let config = config(Some(&file), None).await?;
        let url = config.cluster_url.clone();
        let (mut client, mut without_retries) = clients(config, &self.namespace)?;
        if !living(&folder).is_empty() {
            // If its host has just ended, another process is about to be.
            (client, without_retries) = (patient(&client), patient(&without_retries));
        }
        if answers(&client).await.is_err() {
            bail!("the local plane in {} does not run; {start}", folder.display());
        }
        let title = format!("local, {} at {}", shown(&folder), trimmed(&url));
        Ok(Plane { client, without_retries, title, is_local: true, share: None })
    }

    async fn cluster(&self, choice: Choice) -> Result<Plane> {
        let in_pod = choice == Choice::Pod;
        let plane = self.unprepared(choice).await?;
        self.prepared(&plane, in_pod).await?;
        Ok(plane)
    }

    /// A cluster that answers, whatever it has.
    async fn unprepared(&self, choice: Choice) -> Result<Plane> {
        let (config, name) = match choice {
            Choice::Kubeconfig { file, context } => {
                let name = match (&context, &file) {
                    (Some(context), _) => format!("context `{context}`"),
                    (None, Some(file)) => format!("kubeconfig `{}`", file.display()),
                    (None, None) => "the current context".to_owned(),
                };
                (config(file.as_deref(), context).await?, name)
            }
            Choice::Pod | Choice::Local(_) => {
                let config =
                    Config::incluster().context("cannot read the pod's service account")?;
                (config, "the pod's account".to_owned())
            }
        };
        let url = trimmed(&config.cluster_url);
        let (client, without_retries) = clients(config, &self.namespace)?;
        answers(&client).await.map_err(|why| {
            anyhow!("no cluster answers at {url} ({name}): {why}; check that it runs, or choose another with --context or --kubeconfig")
        })?;
        let title = format!("cluster {url} ({name})");
        Ok(Plane { client, without_retries, title, is_local: false, share: None })
    }

    /// Whether the cluster has our CRDs and the namespace.
    async fn prepared(&self, plane: &Plane, in_pod: bool) -> Result<()> {
        let (client, url) = (&plane.client, &plane.title);
        let nodes: Api<TinyNode> = Api::namespaced(client.clone(), &self.namespace);
        match nodes.list(&ListParams::default().limit(1)).await {
            Ok(_) => {}
            // A path that is not served has no Status to read a reason from.
            Err(kube::Error::Api(status)) if status.code == 404 => bail!(
                "the {url} does not have the CRDs of Tiny; install them with `{} crds | kubectl apply -f -`, or with the chart tiny-crds",
                invocation()
            ),
            Err(kube::Error::Api(status)) => {
                bail!("the {url} refuses to list TinyNodes: {}", status.message)
            }
            Err(e) => return Err(e).context(format!("cannot list TinyNodes of the {url}")),
        }
        if in_pod {
            // A pod's own is there, and its account may not look at namespaces.
            return Ok(());
        }
        let namespaces: Api<Namespace> = Api::all(client.clone());
        match namespaces.get_opt(&self.namespace).await {
            Ok(None) => bail!(
                "the {url} has no namespace `{0}`; create it with `kubectl create namespace {0}`, or choose another with --namespace",
                self.namespace
            ),
            // An account that may not look at namespaces is usual in a cluster.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }
}

async fn config(file: Option<&Path>, context: Option<String>) -> Result<Config> {
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    let (config, name) = match file {
        Some(file) => {
            let name = format!("`{}`", file.display());
            let read = Kubeconfig::read_from(file)
                .map_err(|e| anyhow!("cannot use kubeconfig {name}: {}", innermost(&e)))?;
            (Config::from_custom_kubeconfig(read, &options).await, name)
        }
        None => (Config::from_kubeconfig(&options).await, "of kubectl".to_owned()),
    };
    let mut config =
        config.map_err(|e| anyhow!("cannot use the kubeconfig {name}: {}", innermost(&e)))?;
    config.connect_timeout = Some(Duration::from_secs(5));
    Ok(config)
}

/// A client that tries again when a server is busy, and one that does not.
fn clients(mut config: Config, namespace: &str) -> Result<(Client, Client)> {
    let why = "cannot make a client of this kubeconfig";
    namespace.clone_into(&mut config.default_namespace);
    let client = Client::try_from(config.clone()).context(why)?;
    config.default_retry = false;
    Ok((client, Client::try_from(config).context(why)?))
}

async fn answers(client: &Client) -> std::result::Result<(), String> {
    match tokio::time::timeout(PATIENCE, client.apiserver_version()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(kube::Error::Api(status))) => Err(format!("it says: {}", status.message)),
        Ok(Err(e)) => Err(innermost(&e)),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}

/// The `.tiny/` of this folder or of the nearest one above, as git finds its own.
fn found() -> Option<PathBuf> {
    let here = here().ok()?;
    here.ancestors().map(|folder| folder.join(FOLDER)).find(|folder| folder.is_dir())
}

/// Where a local plane is, or is to be.
fn to_start(folder: Option<PathBuf>) -> Result<PathBuf> {
    match folder.or_else(found) {
        Some(folder) => Ok(folder),
        None => Ok(here()?.join(FOLDER)),
    }
}

/// Makes the namespace of a local plane that another process hosts.
async fn ensure(client: &Client, name: &str) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(name.to_owned());
    match namespaces.create(&PostParams::default(), &namespace).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        made => made.map(drop).with_context(|| format!("cannot make namespace `{name}`")),
    }
}

/// Whether it is an answer, and not one of a plane that is just ending.
fn is_refusal(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(kube::Error::Api(status)) if status.code < 500)
}

fn here() -> Result<PathBuf> {
    std::env::current_dir().context("cannot tell in which folder this is")
}

/// A path as short as it can be said from here.
pub(super) fn shown(folder: &Path) -> String {
    let inside = here().ok().and_then(|here| folder.strip_prefix(here).map(Path::to_owned).ok());
    inside.unwrap_or_else(|| folder.to_owned()).display().to_string()
}

fn trimmed(url: &http::Uri) -> String {
    url.to_string().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        plane: PlaneArgs,
    }

    fn choice(args: &[&str], in_pod: bool, has_account: bool) -> Result<Choice> {
        let args = std::iter::once("x").chain(args.iter().copied());
        Only::try_parse_from(args)?.plane.choice(&Surroundings {
            in_pod,
            has_account,
            in_image: false,
        })
    }

    #[test]
    fn nothing_said_is_the_local_plane_and_a_cluster_must_be_asked_for() {
        assert_eq!(choice(&[], false, false).unwrap(), Choice::Local(None));
        let current = Choice::Kubeconfig { file: None, context: None };
        assert_eq!(choice(&["--cluster"], false, false).unwrap(), current);
        let named = Choice::Kubeconfig { file: None, context: Some("c".into()) };
        assert_eq!(choice(&["--context", "c"], false, false).unwrap(), named);
    }

    #[test]
    fn a_pod_uses_its_account_and_never_a_plane_of_its_own_by_accident() {
        assert_eq!(choice(&[], true, true).unwrap(), Choice::Pod);
        let said = choice(&[], true, false).unwrap_err().to_string();
        assert!(said.contains("without a service account token"), "{said}");
        assert_eq!(choice(&["--local"], true, false).unwrap(), Choice::Local(None));
        assert_eq!(choice(&["--local=x"], true, true).unwrap(), Choice::Local(Some("x".into())));
    }

    #[test]
    fn an_image_has_no_plane_of_its_own_unless_told() {
        let choice = |args: &[&str]| {
            let args = std::iter::once("x").chain(args.iter().copied());
            let around = Surroundings { in_pod: false, has_account: false, in_image: true };
            Only::try_parse_from(args).unwrap().plane.choice(&around)
        };
        let said = choice(&[]).unwrap_err().to_string();
        assert!(said.contains("--local /tmp"), "{said}");
        assert_eq!(choice(&["--local=/tmp"]).unwrap(), Choice::Local(Some("/tmp".into())));
        assert!(matches!(choice(&["--cluster"]).unwrap(), Choice::Kubeconfig { .. }));
    }

    #[test]
    fn a_hint_names_the_same_plane() {
        let flags = |args: &[&str]| {
            Only::try_parse_from(std::iter::once("x").chain(args.iter().copied()))
                .unwrap()
                .plane
                .flags()
        };
        assert_eq!(flags(&[]), "");
        assert_eq!(flags(&["--cluster", "--namespace", "n"]), " --namespace n --cluster");
        assert_eq!(flags(&["--local=d"]), " --local=d");
    }

    #[test]
    fn local_and_cluster_exclude_each_other() {
        assert!(choice(&["--local", "--cluster"], false, false).is_err());
    }
}
