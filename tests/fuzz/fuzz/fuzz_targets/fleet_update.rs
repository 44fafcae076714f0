#![no_main]
muster_fuzz_programs::program!(fleet_update);
