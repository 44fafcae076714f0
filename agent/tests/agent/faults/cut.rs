//! What a power cut leaves of a directory: the worst that POSIX allows, and what file systems have been seen to do.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    str,
};

/// What is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// What was synced: of a file its content, of a directory its names.
    Lost,
    /// Every name, and of a file what was synced with half of what was added since; of one that was never synced, nothing.
    Torn,
}

/// A directory, as programs see it and as it is on disk.
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
}

/// A file or a directory. Its mode is always on disk.
struct Node {
    mode: u32,
    seen: Content,
    synced: Content,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Data(Vec<u8>),
    Names(Names),
}

type Names = BTreeMap<String, usize>;

const ROOT: usize = 0;

impl Disk {
    /// A directory of which everything is on disk.
    pub fn of(root: &Path) -> Self {
        let mut disk = Self { root: root.into(), nodes: Vec::new() };
        disk.take_in(root);
        disk
    }

    fn take_in(&mut self, path: &Path) -> usize {
        let node = self.add(fs::metadata(path).unwrap().permissions().mode(), Content::Names(Names::new()));
        let content = if path.is_file() {
            Content::Data(fs::read(path).unwrap())
        } else {
            let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            Content::Names(entries.map(|path| (last_of(&path), self.take_in(&path))).collect())
        };
        (self.nodes[node].seen, self.nodes[node].synced) = (content.clone(), content);
        node
    }

    fn add(&mut self, mode: u32, content: Content) -> usize {
        self.nodes.push(Node { mode, seen: content.clone(), synced: content });
        self.nodes.len() - 1
    }

    /// Does again what the log says was done.
    pub fn play(&mut self, mut log: &[u8]) {
        while let Some(end) = log.iter().position(|byte| *byte == b'\n') {
            let words: Vec<_> = str::from_utf8(&log[..end]).unwrap().split(' ').collect();
            let data = if words[0] == "write" { end + 1 + number(&words) } else { end + 1 };
            // What has no name any more is of no interest.
            if !words.contains(&"(deleted)") {
                self.apply(&words, &log[end + 1..data]);
            }
            log = &log[data..];
        }
    }

    fn apply(&mut self, words: &[&str], data: &[u8]) {
        let path = Path::new(words[1]);
        match words[0] {
            "create" => self.create(path, number(words), Content::Data(Vec::new())),
            "directory" => self.create(path, number(words), Content::Names(Names::new())),
            "write" => put(self.data(path), words[2].parse().unwrap(), data),
            "size" => self.data(path).resize(number(words), 0),
            "mode" => self.node(path).mode = u32::try_from(number(words)).unwrap(),
            "remove" => drop(self.names_beside(path).remove(&last_of(path))),
            "rename" => {
                let moved = self.names_beside(path).remove(&last_of(path)).unwrap();
                let to = Path::new(words[2]);
                self.names_beside(to).insert(last_of(to), moved);
            }
            "sync" => {
                let node = self.node(path);
                node.synced = node.seen.clone();
            }
            other => panic!("{other} is no change"),
        }
    }

    fn create(&mut self, path: &Path, mode: usize, content: Content) {
        let node = self.add(u32::try_from(mode).unwrap(), content);
        self.names_beside(path).insert(last_of(path), node);
    }

    fn node(&mut self, path: &Path) -> &mut Node {
        let parts = path.strip_prefix(&self.root).unwrap().iter();
        let node = parts.fold(ROOT, |node, part| match &self.nodes[node].seen {
            Content::Names(names) => names[part.to_str().unwrap()],
            Content::Data(_) => panic!("{} is below a file", path.display()),
        });
        &mut self.nodes[node]
    }

    fn data(&mut self, path: &Path) -> &mut Vec<u8> {
        match &mut self.node(path).seen {
            Content::Data(data) => data,
            Content::Names(_) => panic!("{} is a directory", path.display()),
        }
    }

    /// The names in the directory that a path is in.
    fn names_beside(&mut self, path: &Path) -> &mut Names {
        match &mut self.node(path.parent().unwrap()).seen {
            Content::Names(names) => names,
            Content::Data(_) => panic!("{} is below a file", path.display()),
        }
    }

    /// Whether programs see the same in both.
    pub fn is(&self, other: &Self) -> bool {
        self.tree() == other.tree()
    }

    /// Every file and directory with its mode, and of files the content.
    fn tree(&self) -> BTreeMap<PathBuf, (u32, &[u8])> {
        let mut tree = BTreeMap::new();
        let mut open = vec![(PathBuf::new(), ROOT)];
        while let Some((path, node)) = open.pop() {
            let Node { mode, seen, .. } = &self.nodes[node];
            let data = match seen {
                Content::Data(data) => &data[..],
                Content::Names(names) => {
                    open.extend(names.iter().map(|(name, node)| (path.join(name), *node)));
                    &[]
                }
            };
            tree.insert(path, (mode & 0o777, data));
        }
        tree
    }

    /// Puts what is left in the directory's place.
    pub fn put_back(&self, cut: Cut) {
        for entry in fs::read_dir(&self.root).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { fs::remove_dir_all(entry).unwrap() } else { fs::remove_file(entry).unwrap() }
        }
        self.put(ROOT, &self.root, cut);
    }

    fn put(&self, node: usize, path: &Path, cut: Cut) {
        let node = &self.nodes[node];
        match node.left(cut) {
            Content::Data(data) => fs::write(path, data).unwrap(),
            Content::Names(names) => {
                fs::create_dir_all(path).unwrap();
                for (name, node) in names {
                    self.put(node, &path.join(name), cut);
                }
            }
        }
        fs::set_permissions(path, fs::Permissions::from_mode(node.mode)).unwrap();
    }
}

impl Node {
    fn left(&self, cut: Cut) -> Content {
        match (cut, &self.seen, &self.synced) {
            (Cut::Torn, Content::Data(seen), Content::Data(synced)) => Content::Data(half(seen, synced)),
            (Cut::Torn, seen, _) => seen.clone(),
            (Cut::Lost, _, synced) => synced.clone(),
        }
    }
}

fn half(seen: &[u8], synced: &[u8]) -> Vec<u8> {
    match seen.strip_prefix(synced) {
        Some(_) if synced.is_empty() => Vec::new(),
        Some(added) => seen[..synced.len() + added.len() / 2].to_vec(),
        // Cut short, or written over.
        None => seen.to_vec(),
    }
}

fn put(file: &mut Vec<u8>, begin: usize, data: &[u8]) {
    file.resize(file.len().max(begin + data.len()), 0);
    file[begin..begin + data.len()].copy_from_slice(data);
}

fn last_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn number(words: &[&str]) -> usize {
    words.last().unwrap().parse().unwrap()
}
