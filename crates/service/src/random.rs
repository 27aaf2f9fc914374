//! Bytes that nobody can guess: of keys, secrets and sessions.

/// So many of them, from the system.
///
/// # Errors
/// The system gives none.
pub(crate) fn bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
