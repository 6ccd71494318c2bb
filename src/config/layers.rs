//! Where each setting comes from: flag over environment over project file over user file over default.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::ConfigFile;

/// Where a value comes from; the former beats the latter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// The environment variable of this name.
    Environment(String),
    /// The file that `--config` or `WHY401_CONFIG` names, or `why401.toml` in the current folder.
    Project(PathBuf),
    /// The user's own file.
    User(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment: {name}"),
            Self::Project(path) => write!(f, "project file: {}", path.display()),
            Self::User(path) => write!(f, "user file: {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting as it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// `clock.tz`
    pub path: String,
    /// Its value; `None` where nobody said anything and there is no default value.
    pub value: Option<Value>,
    /// Who said so.
    pub origin: Origin,
}

/// What a setting that the environment may state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    /// Texts, joined by commas in the environment.
    List,
}

/// Settings that may stand in the environment: `clock.tz` as `WHY401_CLOCK_TZ`.
const SETTINGS: &[(&str, Kind)] = &[
    ("window_minutes", Kind::Number),
    ("clock.tz", Kind::List),
    ("clock.year", Kind::List),
    ("lifetimes.access_seconds", Kind::Number),
    ("lifetimes.refresh_seconds", Kind::Number),
    ("endpoints.sign_in", Kind::List),
    ("endpoints.refresh", Kind::List),
    ("endpoints.sign_out", Kind::List),
    ("endpoints.revoke", Kind::List),
    ("endpoints.socket", Kind::List),
];

/// Lists to which every layer adds; what a higher one says comes first and is asked first.
const JOINED: &[&str] = &["clock.tz", "clock.year", "pattern"];

/// Minutes, see [`super::Window`].
const DEFAULT_WINDOW: i64 = 10;

/// All that was said, merged.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    settings: Vec<Setting>,
}

impl Effective {
    /// Takes what the next lower layer says. Files are checked as they stand, so that a mistake is told with its file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn file(&mut self, text: &str, origin: &Origin) -> Result<(), toml::de::Error> {
        toml::from_str::<ConfigFile>(text)?;
        self.add(&toml::from_str::<Table>(text)?, origin);
        Ok(())
    }

    /// Takes what flags say.
    pub fn flags(&mut self, flags: &Table) {
        self.add(flags, &Origin::Flag);
    }

    /// Takes what the environment says.
    ///
    /// # Errors
    /// A number that is none.
    pub fn environment(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        for (path, kind) in SETTINGS {
            let name = variable_of(path);
            let Some(text) = variable(&name).filter(|text| !text.is_empty()) else { continue };
            let value = match kind {
                Kind::Number => Value::Integer(
                    text.trim().parse::<u32>().map_err(|_| format!("{name}='{text}' is no number"))?.into(),
                ),
                Kind::List => Value::Array(text.split(',').map(|one| Value::String(one.trim().to_owned())).collect()),
            };
            self.set((*path).to_owned(), value, &Origin::Environment(name));
        }
        Ok(())
    }

    fn add(&mut self, table: &Table, origin: &Origin) {
        let mut flat = Vec::new();
        flatten(table, "", &mut flat);
        for (path, value) in flat {
            self.set(path, value, origin);
        }
    }

    fn set(&mut self, path: String, value: Value, origin: &Origin) {
        let empty = value.as_array().is_some_and(Vec::is_empty);
        let joined = JOINED.contains(&path.as_str());
        if joined && empty || !joined && self.settings.iter().any(|setting| setting.path == path) {
            return;
        }
        self.settings.push(Setting { path, value: Some(value), origin: origin.clone() });
    }

    /// Every setting with its origin, those that nobody stated last.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let mut all = self.settings.clone();
        for (path, _) in SETTINGS {
            if !all.iter().any(|setting| setting.path == *path) {
                let value = (*path == "window_minutes").then_some(Value::Integer(DEFAULT_WINDOW));
                all.push(Setting { path: (*path).to_owned(), value, origin: Origin::Default });
            }
        }
        all.sort_by(|a, b| (a.path.contains('.'), &a.path).cmp(&(b.path.contains('.'), &b.path)));
        all
    }

    /// As one file that says it all.
    ///
    /// # Errors
    /// A flag or variable that does not fit.
    pub fn merged(&self) -> Result<ConfigFile, toml::de::Error> {
        let mut table = Table::new();
        for Setting { path, value, .. } in &self.settings {
            if let Some(value) = value {
                put(&mut table, path, value.clone());
            }
        }
        let mut file: ConfigFile = table.try_into()?;
        let mut names = BTreeSet::new();
        file.pattern.retain(|pattern| names.insert(pattern.name.clone()));
        Ok(file)
    }
}

/// The user's own file: `$XDG_CONFIG_HOME/why401/config.toml`, else below `~/.config`.
#[must_use]
pub fn user_file(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    // The base directory specification: a path that is not absolute is to be ignored.
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join(Path::new("why401/config.toml")))
}

/// `clock.tz` → `WHY401_CLOCK_TZ`
fn variable_of(path: &str) -> String {
    format!("WHY401_{}", path.replace('.', "_").to_ascii_uppercase())
}

fn flatten(table: &Table, prefix: &str, out: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => flatten(inner, &path, out),
            _ => out.push((path, value.clone())),
        }
    }
}

fn put(table: &mut Table, path: &str, value: Value) {
    if let Some((first, rest)) = path.split_once('.') {
        let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(inner) = inner {
            put(inner, rest, value);
        }
        return;
    }
    match (table.get_mut(path), value) {
        (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
        (_, value) => {
            table.insert(path.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_environment_beats_the_project_beats_the_user_beats_the_default() {
        let (project, user) = (Origin::Project("why401.toml".into()), Origin::User("config.toml".into()));
        let flags: Table = toml::from_str("window_minutes = 1").expect("TOML");
        let variable = |name: &str| match name {
            "WHY401_WINDOW_MINUTES" => Some("2".to_owned()),
            "WHY401_LIFETIMES_ACCESS_SECONDS" => Some("20".to_owned()),
            "WHY401_CLOCK_TZ" => Some("UTC, phone=Asia/Seoul".to_owned()),
            _ => None,
        };
        let mut all = Effective::default();
        all.flags(&flags);
        all.environment(variable).expect("numbers");
        let text = "window_minutes = 3\n[lifetimes]\naccess_seconds = 30\nrefresh_seconds = 31\n[clock]\ntz = [\"Asia/Tokyo\"]";
        all.file(text, &project).expect("TOML");
        let text = "[lifetimes]\nrefresh_seconds = 41\n[endpoints]\nrefresh = [\"/r\"]";
        all.file(text, &user).expect("TOML");
        let file = all.merged().expect("it fits");
        assert_eq!(file.window_minutes, Some(1));
        assert_eq!((file.lifetimes.access_seconds, file.lifetimes.refresh_seconds), (Some(20), Some(31)));
        assert_eq!(file.clock.tz, ["UTC", "phone=Asia/Seoul", "Asia/Tokyo"]);
        assert_eq!(file.endpoints.refresh, ["/r"]);
        let origin =
            |path: &str| all.settings().into_iter().find(|setting| setting.path == path).map(|setting| setting.origin);
        assert_eq!(origin("window_minutes"), Some(Origin::Flag));
        assert_eq!(origin("clock.tz"), Some(Origin::Environment("WHY401_CLOCK_TZ".into())));
        assert_eq!(origin("lifetimes.refresh_seconds"), Some(project));
        assert_eq!(origin("endpoints.refresh"), Some(user));
        assert_eq!(origin("endpoints.sign_in"), Some(Origin::Default));
    }

    #[test]
    fn the_default_window_is_the_one_that_is_shown() {
        assert_eq!(super::super::Window::default().0, DEFAULT_WINDOW * 60_000_000);
    }

    #[test]
    fn relative_homes_are_ignored() {
        let file = |xdg: &'static str, home: &'static str| {
            user_file(move |name| Some(if name == "HOME" { home } else { xdg }.to_owned()))
        };
        assert_eq!(file("/x", "/h"), Some("/x/why401/config.toml".into()));
        assert_eq!(file("x", "/h"), Some("/h/.config/why401/config.toml".into()));
        assert_eq!(file("", ""), None);
    }
}
