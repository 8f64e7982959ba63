//! The examples on a page: statements for a shell, and prose between them.

use crate::harness::{root, tool};
use crate::help::commands;

/// What a page shows, in order.
pub(super) struct Page {
    pub(super) name: String,
    pub(super) statements: Vec<Statement>,
}

/// Something to paste into a shell.
#[derive(Clone, Debug)]
pub(super) struct Statement(pub(super) String);

/// What the statements of examples begin with; other lines are prose.
const WORDS: &[&str] = &["cat", "curl", "echo", "ls", "mkdir", "printf"];

/// As many as any terminal has: help is broken into lines of as many as there are.
const COLUMNS: usize = 80;

impl Page {
    /// The pages of `tool --help`, and of the help of its commands.
    pub(super) fn of_help(name: &str) -> Vec<Page> {
        let commands = commands().into_iter();
        let own = commands.filter(|command| command.split(' ').next() == Some(name));
        own.map(|command| Page::of_command(&command)).collect()
    }

    fn of_command(command: &str) -> Page {
        let mut words = command.split(' ');
        let name = words.next().unwrap();
        let help = tool(name)
            .args(&words.collect::<Vec<_>>().join(" "))
            .args("--help")
            .run()
            .ok();
        let (_, examples) = help
            .split_once("\nExamples:\n")
            .unwrap_or_else(|| panic!("{command} --help has no examples"));
        let block: Vec<&str> = examples
            .lines()
            .take_while(|line| !line.is_empty())
            .collect();
        let wide = block.iter().find(|line| line.chars().count() > COLUMNS);
        assert_eq!(wide, None, "{command} --help: a terminal may break it");
        Page {
            statements: statements(&block, command),
            name: format!("{command} --help"),
        }
    }

    /// What the blocks of shell in the README do with our tools, but for those that need the
    /// checkout. A later block goes on where an earlier one ended.
    pub(super) fn of_readme() -> Page {
        let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
        let blocks = readme.split("\n```sh\n").skip(1);
        let blocks = blocks.map(|rest| rest.split("\n```").next().unwrap());
        let ours = blocks.filter(|block| block.starts_with("trace-"));
        let lines: Vec<&str> = ours.flat_map(str::lines).collect();
        Page {
            name: "README.md".to_owned(),
            statements: statements(&lines, "README.md"),
        }
    }
}

/// The statements in `lines`; what stands over several lines is one.
fn statements(lines: &[&str], page: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut lines = lines.iter().peekable();
    while let Some(&line) = lines.next() {
        let word = line.split_whitespace().next().unwrap_or_default();
        if !(word.starts_with("trace-") || WORDS.contains(&word)) {
            // Prose stands over what it is about, which is set in deeper. A line that was
            // broken where nobody wanted it is none.
            let over = lines.peek().is_some_and(|next| indent(next) > indent(line));
            assert!(over, "{page}: what is {line:?}?");
            continue;
        }
        let mut statement = line.trim_start().to_owned();
        while !is_whole(&statement) {
            let next = lines.next();
            let next = next.unwrap_or_else(|| panic!("{page}: {statement:?} has no end"));
            statement.push('\n');
            statement.push_str(next);
        }
        found.push(Statement(statement));
    }
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a shell would run it, rather than ask for more.
fn is_whole(statement: &str) -> bool {
    if let Some((_, document)) = statement.split_once("<<'END'") {
        return document.lines().any(|line| line == "END");
    }
    let mut open = None;
    for char in statement.chars().filter(|char| "'\"".contains(*char)) {
        open = match open {
            None => Some(char),
            Some(quote) if quote == char => None,
            Some(quote) => Some(quote),
        };
    }
    open.is_none() && !statement.ends_with('\\')
}

impl Statement {
    /// Whether `word` is its first one.
    pub(super) fn begins(&self, word: &str) -> bool {
        self.0.split_whitespace().next() == Some(word)
    }

    /// Whether it goes on until somebody stops it.
    pub(super) fn serves(&self) -> bool {
        self.begins("trace-mock") || self.begins("trace-design") && !self.0.contains("--check")
    }

    /// A program of others that it uses and that is not in the `PATH`.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        let mut uses = ["curl", "jq"].into_iter();
        uses.find(|program| {
            let used = self.0.split_whitespace().any(|word| word == *program);
            let path = std::env::var_os("PATH").unwrap_or_default();
            used && !std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
        })
    }

    /// Whether its answer may be no.
    pub(super) fn judges(&self) -> bool {
        let words = ["--assert", "--tolerance", " lint ", "--search"];
        words.iter().any(|word| self.0.contains(word))
    }

    /// Whether what it writes goes to files.
    pub(super) fn writes_files(&self) -> bool {
        let words = [">", "--out", "--html", "mkdir", "--preset", "auto"];
        words.iter().any(|word| self.0.contains(word))
    }
}

#[test]
fn statements_are_told_from_prose() {
    let lines = [
        "  what it is for: Dynamo's",
        "    trace-synth sine \\",
        "      --seed 7 > a.jsonl",
        "    echo '{",
        "      \"a\": 1}' > b.json",
        "  cat > c.json <<'END'",
        "  {\"it\": \"isn't\"}",
        "END",
        "  trace-stats a.jsonl",
    ];
    let found: Vec<String> = statements(&lines, "a page")
        .into_iter()
        .map(|s| s.0)
        .collect();
    assert_eq!(
        found,
        [
            "trace-synth sine \\\n      --seed 7 > a.jsonl",
            "echo '{\n      \"a\": 1}' > b.json",
            "cat > c.json <<'END'\n  {\"it\": \"isn't\"}\nEND",
            "trace-stats a.jsonl",
        ]
    );
}

#[test]
#[should_panic(expected = "what is \"  b.jsonl\"?")]
fn a_line_that_was_broken_is_no_prose() {
    statements(
        &["  trace-stats a.jsonl", "  b.jsonl", "  trace-stats"],
        "a page",
    );
}
