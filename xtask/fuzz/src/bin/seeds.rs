//! Writes the seeds of each fuzzer, a directory a fuzzer, below the one that is named.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let below = PathBuf::from(std::env::args().nth(1).expect("where to"));
    for reader in &xtask_fuzz::READERS {
        let dir = below.join(reader.name);
        std::fs::create_dir_all(&dir)?;
        for (i, seed) in (reader.seeds)().iter().enumerate() {
            std::fs::write(dir.join(format!("seed-{i}")), seed)?;
        }
    }
    Ok(())
}
