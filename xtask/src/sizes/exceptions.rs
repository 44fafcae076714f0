//! What may be longer than the limits, each with its reason. One that nothing needs any more is an error.

use super::limits::Exception;

const MARKUP: &str = "markup: what is drawn, in the order in which it is drawn";
const MODEL: &str = "a model: one state machine and what it may do, held against the code as a whole";
const MOCK: &str = "goes when the console's tests have the real server on planted data";

/// By name.
pub const EXCEPTIONS: [Exception; 10] = [
    ("console/mock/handlers.ts", MOCK),
    ("console/mock/scenarios.ts", MOCK),
    ("console/mock/scenarios.ts addAccess", MOCK),
    ("console/src/pages/dashboard.tsx Fleet", MARKUP),
    ("console/src/pages/hosts/host_filters.tsx HostFilters", MARKUP),
    ("console/src/pages/hosts/host_grid.tsx HostGrid", MARKUP),
    ("console/src/shell/palette.tsx Finder", MARKUP),
    ("functions/src/store/conformance.rs", "one suite that every table must pass, public so that it can"),
    ("tests/models/src/commands.rs", MODEL),
    ("tests/models/src/fleet_updates.rs", MODEL),
];
