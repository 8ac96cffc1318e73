#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    blackrod_fuzz::read_as("postgres-log", data);
});
