//! Every tool explains itself, and the same idea has the same flag in all of them.

use crate::harness::{Dir, Script, built, root, tool, tools};
use std::collections::BTreeMap;

/// The long help of a command line.
fn help(command: &str) -> String {
    let (name, args) = command.split_once(' ').unwrap_or((command, ""));
    tool(name).args(args).args("--help").run().ok()
}

/// Every tool, and the commands inside of them.
pub(crate) fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    for name in tools() {
        commands.push(name.clone());
        let help = help(&name);
        let listed = help
            .split_once("\nCommands:\n")
            .map_or("", |(_, rest)| rest);
        let listed = listed.lines().take_while(|line| !line.is_empty());
        // What is said of a command may go on in lines of deeper indent.
        let named = listed.filter(|line| !line.starts_with("   "));
        let inner = named.filter_map(|line| line.split_whitespace().next());
        commands.extend(
            inner
                .filter(|&c| c != "help")
                .map(|c| format!("{name} {c}")),
        );
    }
    commands
}

/// Flags with what the help says about each, in one line, however it is laid out.
fn flags(help: &str) -> BTreeMap<String, String> {
    let mut flags: BTreeMap<String, String> = BTreeMap::new();
    let mut open = String::new();
    let options = help.split_once("\nOptions:\n").map_or("", |(_, rest)| rest);
    for line in options
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '))
    {
        let (indent, word) = (line.len() - line.trim_start().len(), line.trim());
        // `  -n, --limit <N>  What it is`, or what it is on the lines below.
        let text = if indent <= 6 && word.starts_with('-') {
            let (flag, text) = word.split_once("  ").unwrap_or((word, ""));
            let long = flag.split([' ', ',']).find(|part| part.starts_with("--"));
            open = long.unwrap_or(flag).to_owned();
            text.trim()
        } else {
            word
        };
        if open.is_empty() {
            continue;
        }
        let said = flags.entry(open.clone()).or_default();
        if !said.is_empty() && !text.is_empty() {
            said.push(' ');
        }
        said.push_str(text);
    }
    flags
}

#[test]
fn help_shows_how_it_is_used() {
    for command in commands() {
        let help = help(&command);
        let (_, examples) = help
            .split_once("\nExamples:\n")
            .unwrap_or_else(|| panic!("{command} --help has no examples:\n{help}"));
        let name = command.split(' ').next().unwrap();
        assert!(
            examples.contains(&format!("{name} ")),
            "{command}: {examples}"
        );
        assert!(help.contains("Usage: "), "{command}: {help}");
        let flags = flags(&help);
        assert!(flags.contains_key("--help"), "{command}: {flags:?}");
        for (flag, text) in flags {
            assert!(!text.is_empty(), "{command} {flag} is not explained");
        }
    }
}

#[test]
fn the_same_flag_means_the_same_everywhere() {
    let shared = ["--skip-invalid", "--seed", "--block-size"];
    let mut said: BTreeMap<&str, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for command in commands() {
        let flags = flags(&help(&command));
        for flag in shared {
            if let Some(text) = flags.get(flag) {
                let by_text = said.entry(flag).or_default();
                by_text
                    .entry(text.clone())
                    .or_default()
                    .push(command.clone());
            }
        }
    }
    for flag in shared {
        let texts = said.get(flag).map_or(0, BTreeMap::len);
        assert_eq!(
            texts,
            1,
            "{flag} is explained in {texts} ways: {:#?}",
            said.get(flag)
        );
    }
}

#[test]
fn version_man_page_and_completions_are_there() {
    for name in tools() {
        let version = tool(&name).args("--version").run().ok();
        assert_eq!(
            version.trim(),
            format!("{name} {}", env!("CARGO_PKG_VERSION"))
        );

        let man = tool(&name).args("--man").run().ok();
        assert!(
            man.contains(".SH NAME") && man.contains(".SH SYNOPSIS"),
            "{name}: {man}"
        );

        for shell in ["bash", "zsh", "fish"] {
            let script = tool(&name).args("--completions").arg(shell).run().ok();
            assert!(script.contains(&name), "{name} {shell}: {script}");
        }
        let run = tool(&name).args("--completions cobol").run();
        run.check(
            run.fails(2).contains("cobol"),
            "an unknown shell should be named",
        );
    }
}

#[test]
fn a_script_puts_tools_pages_and_completions_in_place() {
    let dir = Dir::new();
    // They are built already.
    dir.write_program("bin/cargo", "#!/bin/sh\n");
    let built = built();
    let target = built.parent().unwrap().display();
    let script = root().join("scripts/install");
    let profile = match built.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        other => other.unwrap(),
    };
    let text = format!(
        "CARGO_TARGET_DIR='{target}' PROFILE={profile} '{}' there",
        script.display()
    );
    let run = Script::new(&dir, text).run();
    run.succeeds();
    for command in commands() {
        let page = format!("there/share/man/man1/{}.1", command.replace(' ', "-"));
        let page = dir.read(&page);
        run.check(
            page.matches("\n.TH ").count() == 1,
            format!("{command}: {page}"),
        );
    }
    for name in tools() {
        for file in [
            format!("bin/{name}"),
            format!("share/bash-completion/completions/{name}"),
            format!("share/zsh/site-functions/_{name}"),
            format!("share/fish/vendor_completions.d/{name}.fish"),
        ] {
            let there = dir.path("there").join(&file).is_file();
            run.check(there, format!("there is no {file}"));
        }
    }
}

#[test]
fn the_help_in_the_readme_is_current() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for command in commands() {
        let help = help(&command);
        let block =
            format!("<!-- help: {command} -->\n\n```text\n{help}```\n\n<!-- end of help -->");
        assert!(
            readme.contains(&block),
            "README.md does not have the help of {command} as it is: scripts/update-help renews it"
        );
    }
}
