//! temporary
fn main() {
    let mut reading = why401::Reading::new(why401::Config::default(), [1; 16]);
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    args.sort();
    for name in args {
        reading.read_bytes(&name, &std::fs::read(&name).unwrap());
    }
    println!("{}", serde_json::to_string(&why401::diagnose(reading)).unwrap());
}
