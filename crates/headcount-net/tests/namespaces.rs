//! Tests in network namespaces.
fn main() {}
