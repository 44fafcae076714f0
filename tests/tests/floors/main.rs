//! Architecture: which file may import which. Imports point down; nobody climbs.

mod server;
