// A first flow of two steps. weir.rs beside it implements the plugin ABI.
//   run it:  weir serve &
//            weir start plugin_name --input '"Ada"' --wait
mod weir;

use weir::{Call, Failure};

// "Ada" → "Hello, Ada!" JSON is passed as text, which the host has checked: use a parser of your
// choice for more than this.
fn greet(_: &Call, input: &str) -> Result<String, Failure> {
    let name = input
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or_else(|| Failure::for_good("bad_input", "expected a string"))?;
    Ok(format!("\"Hello, {name}!\""))
}

// {"greet": "Hello, Ada!"} → {"text":"Hello, Ada!"}: a step that waits for others is given an
// object with their outputs.
fn sign(call: &Call, input: &str) -> Result<String, Failure> {
    call.info("about to sign");
    let greeting = input
        .split_once(':')
        .and_then(|(_, rest)| rest.strip_suffix('}'))
        .ok_or_else(|| Failure::for_good("bad_input", "expected what \"greet\" returned"))?;
    Ok(format!("{{\"text\":{greeting}}}"))
}

// The manifest describes the plugin; the flows and steps below it are in the same order.
weir::plugin! {
    manifest: r#"{"weir":1,"plugin":"plugin_name","version":"0.1.0","flows":[
      {"module":"first.PluginName","slug":"plugin_name","input_schema":{"type":"string"},"steps":[
        {"slug":"greet"},
        {"slug":"sign","depends_on":["greet"],"max_attempts":5}]}]}"#,
    name: "plugin_name",
    version: "0.1.0",
    flows: [
        { module: "first.PluginName", slug: "plugin_name", steps: ["greet" => greet, "sign" => sign] },
    ],
}
