//! `lanes keys`: API keys in the data directory, also while the server runs on it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lanes_service::{Access, KeyRequest, Scope, ServiceError, Store};
use secrecy::ExposeSecret;

use super::CliError;
use crate::config::{Flags, data_directory};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and print it: nobody can read it again.
    Create(CreateArgs),
    /// List the keys, without their secrets.
    List(Place),
    /// Revoke a key: it is worth nothing from now on.
    Revoke(RevokeArgs),
}

/// A new key.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// What to call it.
    name: String,
    /// What it is good for; each includes those before it.
    #[arg(long, default_value = "run", value_parser = ["read", "run", "admin"])]
    scope: String,
    /// In how many days it ends; never, when left out.
    #[arg(long)]
    expires_in_days: Option<i64>,
    #[command(flatten)]
    place: Place,
}

/// A key to be revoked.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// Its id, as `lanes keys list` shows it.
    id: String,
    #[command(flatten)]
    place: Place,
}

/// Where the keys are, and how to say what came of it.
#[derive(Debug, Args)]
pub struct Place {
    /// Where runs and keys are kept [env: LANES_DATA_DIR] [default: the platform's data directory].
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// The configuration file [env: LANES_CONFIG] [default: lanes.toml, if it is there].
    #[arg(long)]
    config: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn keys(command: KeysCommand) -> Result<(), CliError> {
    match command {
        KeysCommand::Create(args) => create(args).await,
        KeysCommand::List(place) => list(place).await,
        KeysCommand::Revoke(args) => {
            let (access, store) = open(&args.place).await?;
            access.revoke_key(&args.id).await?;
            store.close().await;
            println!("{} is revoked", args.id);
            Ok(())
        }
    }
}

async fn create(args: CreateArgs) -> Result<(), CliError> {
    let CreateArgs { name, scope, expires_in_days, place } = args;
    let (access, store) = open(&place).await?;
    let made = access.create_key(&KeyRequest { name, scope, expires_in_days }).await?;
    store.close().await;
    if place.json {
        let mut shown = serde_json::json!(made.key);
        shown["key"] = made.secret.expose_secret().into();
        println!("{shown}");
        return Ok(());
    }
    // The key alone on standard output, for scripts; what people read goes beside it.
    println!("{}", made.secret.expose_secret());
    eprintln!(
        "This is the key “{}” ({}, scope {}). It is shown this once: keep it now.",
        made.key.name, made.key.id, made.key.scope
    );
    Ok(())
}

async fn list(place: Place) -> Result<(), CliError> {
    let (access, store) = open(&place).await?;
    let keys = access.keys().await?;
    store.close().await;
    if place.json {
        println!("{}", serde_json::json!({ "items": keys }));
        return Ok(());
    }
    if keys.is_empty() {
        eprintln!("There are no keys: make one with “lanes keys create NAME --scope run”.");
        return Ok(());
    }
    println!("{:<10} {:<6} {:<22} {:<22} {:<22} NAME", "ID", "SCOPE", "MADE", "USED LAST", "ENDS");
    for key in keys {
        let used = key.last_used_at.as_deref().unwrap_or("never");
        let ends = match &key.expires_at {
            Some(end) if key.expired => format!("{end} (over)"),
            Some(end) => end.clone(),
            None => "never".to_owned(),
        };
        let scope = Scope::from_id(&key.scope).map_or("?", Scope::id);
        println!(
            "{:<10} {scope:<6} {:<22} {used:<22} {ends:<22} {}",
            key.id, key.created_at, key.name
        );
    }
    Ok(())
}

async fn open(place: &Place) -> Result<(Access, Store), CliError> {
    let flags = Flags {
        data_dir: place.data_dir.clone(),
        config: place.config.clone(),
        ..Flags::default()
    };
    let directory = data_directory(flags)?;
    let store = Store::open(&directory.join("lanes.db")).await.map_err(ServiceError::from)?;
    Ok((Access::new(store.clone(), None, false)?, store))
}
