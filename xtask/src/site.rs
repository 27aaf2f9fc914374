//! The build from beginning to end: compile, bind, join, name, compress, write. Each step says in
//! one line what it does; a second call with nothing changed says so and stops.

use crate::args::{Flavour, SiteOptions};
use crate::bundle::MANIFEST;
use crate::error::{Error, Result};
use crate::stamp::{self, Stamp};
use crate::workspace::Workspace;
use crate::{assets, bind, bundle, css, sizes};

/// Builds the site, unless it is already what its sources say.
///
/// # Errors
/// Whatever a step meets; the site of before is left as it was unless the disk itself failed.
pub fn build(options: &SiteOptions) -> Result<()> {
    let workspace = Workspace::load()?;
    let out = workspace.site(options.out.as_deref());
    assets::list_site(&out)?;
    let place = stamp::path(&workspace, &out);
    let inputs = stamp::fingerprint(&workspace, options.flavour)?;
    if Stamp::read(&place).is_some_and(|stamp| stamp.is_fresh(&inputs, &out)) {
        println!("the site in {} is up to date", out.display());
        return Ok(());
    }

    let profile = options.flavour.profile();
    println!("compiling the page for the browser ({profile}) …");
    let wasm = workspace.compile_page(options.flavour, options.locked)?;

    println!("binding it to JavaScript …");
    let bound = bind::bind(&wasm, options.flavour)?;

    let (sheet, sheets) = css::join(&workspace.root.join(stamp::STYLE))?;
    println!("joining {sheets} style sheets …");
    let public = assets::read_tree(&workspace.root.join(stamp::PUBLIC), &[])?;
    let (mut files, manifest) = bundle::assemble(bound, sheet, public);
    if options.flavour == Flavour::Release {
        println!("compressing {} files …", files.len());
        assets::compress(&mut files)?;
    }
    let list = serde_json::to_vec_pretty(&manifest)
        .map_err(|source| Error::Json { what: MANIFEST.to_owned(), source })?;
    files.insert(MANIFEST.to_owned(), list);

    assets::write_site(&out, &files)?;
    Stamp::new(inputs, &files).write(&place)?;
    let lengths = files.iter().map(|(name, content)| (name.clone(), content.len() as u64));
    print!("{}", sizes::Sizes::of(lengths));
    println!("the site is in {}", out.display());
    Ok(())
}
