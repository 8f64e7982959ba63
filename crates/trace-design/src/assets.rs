//! The files of the page, inside of the binary.

use bytes::Bytes;
use std::path::PathBuf;

/// Every file under `assets/`, by its path there.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where the page's files come from.
pub(crate) enum Assets {
    /// The binary.
    Embedded,
    /// A folder, read anew each time, for who works on the page.
    Folder(PathBuf),
}

impl Assets {
    /// The file `name`, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<Bytes> {
        match self {
            Self::Embedded => {
                let found = EMBEDDED.iter().find(|(known, _)| *known == name);
                found.map(|(_, bytes)| Bytes::from_static(bytes))
            }
            Self::Folder(folder) if is_plain(name) => {
                std::fs::read(folder.join(name)).ok().map(Bytes::from)
            }
            Self::Folder(_) => None,
        }
    }
}

/// Whether every part of `name` is one that stays inside of a folder.
fn is_plain(name: &str) -> bool {
    name.split('/').all(|part| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    })
}

/// What a browser is told of the file `name`.
pub(crate) fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "map" => "application/json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_embedded_and_has_a_place_for_the_token() {
        let page = Assets::Embedded.get("index.html").unwrap();
        let page = std::str::from_utf8(&page).unwrap();
        assert_eq!(page.matches("{{token}}").count(), 1);
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        for bad in [
            "../Cargo.toml",
            "a/../../b",
            "/etc/passwd",
            "a//b",
            ".git",
            "a\\b",
            "a\0",
            "",
        ] {
            assert!(!is_plain(bad), "{bad:?}");
            assert!(Assets::Embedded.get(bad).is_none());
        }
        assert!(is_plain("lib/curve.js"));
    }
}
