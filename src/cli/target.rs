//! Which Lanes a command talks to: the one at `--server`, or one that it starts for itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use lanes_service::Retention;
use tempfile::TempDir;

use super::CliError;
use super::client::Client;
use super::data_lock::DataLock;
use super::local::{self, Running};
use crate::config::{Config, Flags};

/// Which Lanes does the work.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetArgs {
    /// A running server, such as http://127.0.0.1:7862; without one the work is done here.
    #[arg(long, env = "LANES_SERVER", value_name = "URL", help_heading = "Where")]
    server: Option<String>,
    /// The server's token.
    #[arg(long, env = "LANES_TOKEN", hide_env_values = true, help_heading = "Where")]
    token: Option<String>,
    /// Without --server: where runs are kept [env: LANES_DATA_DIR].
    #[arg(long, help_heading = "Where", conflicts_with = "server")]
    pub data_dir: Option<PathBuf>,
    /// Without --server: the configuration file [env: LANES_CONFIG].
    #[arg(long, help_heading = "Where", conflicts_with = "server")]
    pub config: Option<PathBuf>,
}

/// What becomes of a command when another program has the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// It works in a directory of its own: it makes something new.
    Apart,
    /// It asks that program: it is about what is there.
    Ask,
}

/// A Lanes to talk to.
pub struct Target {
    /// The way to it.
    pub client: Client,
    running: Option<Running>,
    /// Removed at the end.
    apart: Option<TempDir>,
}

impl TargetArgs {
    /// Whether a server is named. A variable that is set to nothing names none.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.server.as_deref().is_some_and(|url| !url.trim().is_empty())
    }

    /// Finds or starts it. `concurrency` is what a server of its own takes as the most.
    ///
    /// # Errors
    /// When nothing can be started, or the address is none.
    pub async fn open(self, shared: Shared, concurrency: Option<u32>) -> Result<Target, CliError> {
        let token = self.token.as_deref();
        if let Some(url) = self.server.filter(|url| !url.trim().is_empty()) {
            let client = Client::new(&url, token)?;
            return Ok(Target { client, running: None, apart: None });
        }
        let named = self.data_dir.is_some();
        let mut config = Config::load(Flags {
            // The port of a server is not what this one listens on.
            addr: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            data_dir: self.data_dir,
            config: self.config,
            no_store_text: false,
            redact: false,
        })?;
        // Whoever started it asks it; a token that is set is asked for all the same.
        config.access.required = token.is_some() && config.access.token.is_some();
        // A command that shows a run deletes none.
        config.retention = Retention::default();
        if let Some(most) = concurrency {
            config.max_concurrency = most;
        }
        let mut apart = None;
        match DataLock::take(&config.data_dir) {
            Ok(free) => drop(free),
            Err(CliError::DataInUse(directory)) => match shared {
                Shared::Ask => {
                    let url = DataLock::holder(&directory)
                        .ok_or_else(|| CliError::DataInUse(directory.clone()))?;
                    eprintln!("asking the server at {url}, which uses {}", directory.display());
                    let client = Client::new(&url, token)?;
                    return Ok(Target { client, running: None, apart: None });
                }
                Shared::Apart if !named => {
                    let own = tempfile::tempdir()?;
                    eprintln!(
                        "another Lanes uses {}: this run is kept in a temporary directory and gone \
                         afterwards; use --server to run it there, or --data-dir to keep it",
                        directory.display()
                    );
                    own.path().clone_into(&mut config.data_dir);
                    apart = Some(own);
                }
                Shared::Apart => return Err(CliError::DataInUse(directory)),
            },
            Err(error) => return Err(error),
        }
        let running = local::start(config, None).await?;
        let client = Client::new(&format!("http://{}", running.addr), token)?;
        Ok(Target { client, running: Some(running), apart })
    }
}

impl Target {
    /// Lets it go.
    ///
    /// # Errors
    /// When what was started does not stop well.
    pub async fn close(self) -> Result<(), CliError> {
        if let Some(running) = self.running {
            running.stop().await?;
        }
        drop(self.apart);
        Ok(())
    }
}
