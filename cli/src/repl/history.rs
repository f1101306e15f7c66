//! Where the prompt keeps its history.

use std::ffi::OsString;
use std::path::PathBuf;

/// `$XDG_STATE_HOME/sluice/history`, else `~/.local/state/sluice/history`; its folder is made. None where there is no
/// home, or it cannot be written: then the history ends with the prompt.
pub fn file() -> Option<PathBuf> {
    let folder = folder(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

fn folder(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let state = state.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || {
        home.map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .map(|home| home.join(".local/state"))
    };
    state.or_else(home).map(|state| state.join("sluice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_goes_before_the_home() {
        let folder_of =
            |state: Option<&str>, home: Option<&str>| folder(state.map(Into::into), home.map(Into::into));
        assert_eq!(
            folder_of(Some("/state"), Some("/home/a")),
            Some("/state/sluice".into())
        );
        assert_eq!(
            folder_of(None, Some("/home/a")),
            Some("/home/a/.local/state/sluice".into())
        );
        assert_eq!(
            folder_of(Some("relative"), Some("/home/a")),
            Some("/home/a/.local/state/sluice".into())
        );
        assert_eq!(folder_of(Some(""), None), None);
    }
}
