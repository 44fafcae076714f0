#![no_main]
muster_fuzz_programs::program!(spool);
