// A step that answers later, as a Rust future. weir.rs beside it implements the plugin ABI, and runs
// the futures: however many calls wait, they hold one thread.
mod weir;

use std::time::Duration;
use weir::{AsyncCall, Failure};

// 250 → 250, a quarter of a second later
async fn later(call: AsyncCall, input: String) -> Result<String, Failure> {
    let milliseconds: u32 = input
        .parse()
        .map_err(|_| Failure::for_good("bad_input", "expected a number of milliseconds"))?;
    call.sleep(Duration::from_millis(milliseconds.into())).await;
    Ok(input)
}

weir::plugin! {
    manifest: concat!(
        r#"{"weir":1,"plugin":"later_rust","version":"1.0.0","flows":["#,
        r#"{"module":"examples.LaterRust","slug":"later_rust","#,
        r#""input_schema":{"type":"array","items":{"type":"integer","minimum":0}},"#,
        r#""steps":[{"slug":"later","kind":"map","depends_on":[],"timeout_ms":7200000}]}]}"#
    ),
    name: "later_rust",
    version: "1.0.0",
    flows: [
        { module: "examples.LaterRust", slug: "later_rust", steps: ["later" => later] },
    ],
}
