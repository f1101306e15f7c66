use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::discover::preview::Observed;
use crate::discover::{Extent, guess_dialect, key_candidates};
use crate::spec::{Limits, check_attribute_name, parse_mapping, parse_process};

/// The suggestion for two rows, 7 and 8, under each of some columns, the first of which is the key.
fn suggestion(file: &str, columns: &[&str], rows: &[Vec<&str>]) -> Suggestion {
    let names: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let mut observed = Observed::new(&names);
    rows.iter()
        .for_each(|row| observed.add_row(row.iter().map(|cell| Some(*cell))));
    let dialect = guess_dialect(b"cid,a\n1,2\n", Extent::Whole);
    observed
        .preview(dialect, &SuggestOptions::new(file))
        .unwrap()
        .suggestion
}

/// The words of a command line, by the rules of POSIX for quotes and backslashes.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut chars) = (Vec::new(), None::<String>, line.chars());
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\n' | '\t' => words.extend(word.take()),
            '\'' => word
                .get_or_insert_default()
                .extend(chars.by_ref().take_while(|c| *c != '\'')),
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '"' | '$' | '`' | '*' | '?' | '[' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '~' | '#' | '!' => {
                panic!("{c} unquoted in {line}")
            }
            '=' if word.is_none() => panic!("{c} begins a word in {line}"),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// File, key and attributes of a line, as the command reads them.
fn read_line(words: &[String]) -> (String, String, Vec<Mapping>) {
    let mut values = words.iter().skip(2).map(String::as_str);
    let file = values.next().unwrap().to_owned();
    let (mut key, mut mappings) = (None, Vec::new());
    while let Some(flag) = values.next() {
        let (flag, value) = flag
            .split_once('=')
            .unwrap_or_else(|| (flag, values.next().unwrap()));
        match flag {
            "--key" => key = Some(value.to_owned()),
            "--attribute" => mappings.push(parse_mapping(value).unwrap()),
            _ => panic!("{flag}"),
        }
    }
    (file, key.unwrap(), mappings)
}

const AWKWARD: [&str; 9] = [
    "cid",
    "it's",
    "a=b:c",
    r"back\slash",
    "$(rm) `x`",
    "-dash",
    "two\nlines",
    "Größe \"L\"",
    "~*?!#",
];

#[test]
fn awkward_names_survive_a_real_shell() {
    let suggested = suggestion("in/my file's.csv", &AWKWARD, &[vec!["7"; 9], vec!["8"; 9]]);
    let line = suggested.ingest_line.unwrap();
    let script = format!("sluice() {{ for word do printf '%s\\0' \"$word\"; done; }}; {line}");
    let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    assert_eq!(words, shell_words(&line)[1..]);
    let with_name = [vec!["sluice".to_owned()], words].concat();
    let (file, key, mappings) = read_line(&with_name);
    assert_eq!((file.as_str(), key.as_str()), ("in/my file's.csv", "cid"));
    let columns: Vec<&str> = mappings.iter().map(|mapping| mapping.column.as_str()).collect();
    assert_eq!(columns, AWKWARD[1..]);
}

#[test]
fn ten_columns_are_suggested_and_the_others_named() {
    let names: Vec<String> = (0..14).map(|n| format!("col{n}")).collect();
    let mut columns = vec!["cid"];
    columns.extend(names.iter().map(String::as_str));
    let suggested = suggestion("a.csv", &columns, &[vec!["7"; 15], vec!["8"; 15]]);
    assert_eq!(suggested.attributes.len(), 10);
    let notes = suggested.notes.join("\n");
    assert!(
        notes.contains("beyond the limit of 10")
            && notes.contains("\"col13\"")
            && !notes.contains("\"col9\""),
        "{notes}"
    );
}

#[test]
fn columns_without_name_or_values_or_with_a_name_twice_are_left_out() {
    let suggested = suggestion(
        "a.csv",
        &["cid", "", "void", "a", "a", "b"],
        &[
            vec!["1", "x", "", "x", "x", "x"],
            vec!["2", "x", "", "y", "y", "y"],
        ],
    );
    let columns: Vec<&str> = suggested
        .attributes
        .iter()
        .map(|attribute| attribute.column.as_str())
        .collect();
    assert_eq!(columns, ["b"]);
    assert_eq!(
        suggested
            .notes
            .iter()
            .filter(|note| note.starts_with("left out"))
            .count(),
        4
    );
}

#[test]
fn only_the_first_column_of_addresses_is_email() {
    let suggested = suggestion(
        "a.csv",
        &["cid", "mail", "mail2"],
        &[vec!["1", "a@b.co", "c@d.co"], vec!["2", "e@f.co", "g@h.co"]],
    );
    let types: Vec<String> = suggested
        .attributes
        .iter()
        .map(|attribute| attribute.guess.ty.to_string())
        .collect();
    assert_eq!(types, ["email", "string"]);
}

#[test]
fn what_a_line_cannot_say_is_string_there_and_typed_in_the_process() {
    let suggested = suggestion(
        "a.csv",
        &["cid", "day", "n"],
        &[vec!["1", "31/12/2024", "NULL"], vec!["2", "01/01/2025", "5"]],
    );
    let line = suggested.ingest_line.unwrap();
    assert!(
        line.contains("'day:day=string'") && line.contains("'n:n=string'"),
        "{line}"
    );
    let toml = suggested.process_toml.unwrap();
    assert!(
        toml.contains("type = \"date\"") && toml.contains("null_tokens = [\"NULL\"]"),
        "{toml}"
    );
    assert_eq!(
        suggested
            .notes
            .iter()
            .filter(|note| note.contains("in the line it is string"))
            .count(),
        2
    );
}

#[test]
fn without_a_likely_key_nothing_is_suggested() {
    let suggested = suggestion("a.csv", &["tier", "region"], &[vec!["x", "n"], vec!["x", "n"]]);
    assert_eq!((suggested.key, suggested.ingest_line), (None, None));
    assert!(key_candidates(&[]).is_empty());
}

fn any_column() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z][a-z_ ]{0,8}",
        "[ -~]{1,12}",
        "\\PC{1,10}",
        "[=:'\\\\\"\n$-]{1,6}"
    ]
}

proptest! {
    #[test]
    fn the_line_and_the_process_read_back_to_the_same_columns(
        file in "[ -~]{1,12}[a-z]",
        others in prop::collection::hash_set(any_column(), 1..14),
    ) {
        prop_assume!(crate::spec::kind_of(&file).is_ok());
        let others: Vec<String> = others.into_iter().filter(|name| name != "customer_id").collect();
        let mut columns = vec!["customer_id"];
        columns.extend(others.iter().map(String::as_str));
        let suggested = suggestion(&file, &columns, &[vec!["7"; columns.len()], vec!["8"; columns.len()]]);
        prop_assume!(suggested.key.as_deref() == Some("customer_id"));
        let wanted: Vec<&str> = columns[1..].iter().copied().take(10).collect();
        let (read_file, key, mappings) = read_line(&shell_words(&suggested.ingest_line.unwrap()));
        let is_same = read_file == file || read_file.strip_prefix("./") == Some(&file);
        prop_assert!(is_same, "{}", read_file);
        prop_assert_eq!(key, "customer_id");
        prop_assert_eq!(mappings.iter().map(|mapping| mapping.column.as_str()).collect::<Vec<_>>(), wanted.clone());
        let process = parse_process("p", &suggested.process_toml.unwrap(), &Limits::default(), &[]);
        let process = process.map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
        let read: Vec<_> = process.attributes.iter().map(|a| (a.column.clone(), a.name.clone(), a.ty)).collect();
        let in_line: Vec<_> = mappings.iter().map(|m| (m.column.clone(), m.name.clone(), m.ty)).collect();
        prop_assert_eq!(read, in_line);
        prop_assert_eq!(process.source.url.as_deref(), Some(file.as_str()));
        prop_assert!(mappings.iter().all(|mapping| check_attribute_name(&mapping.name, &[]).is_ok()));
    }
}
