// The flow of plugins/hello in Rust. weir.rs beside it implements the plugin ABI.
mod weir;

use weir::{Call, Failure};

// JSON is passed as text that the host has checked. These functions find what is needed in it;
// strings are passed on as they came, without being decoded.

/// The bytes of the first value of `text`, and the text after it.
fn value(text: &str) -> (&str, &str) {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => depth += 1,
            '}' | ']' | ',' if depth == 0 => return (text[..at].trim(), &text[at..]),
            '}' | ']' => depth -= 1,
            _ => {}
        }
    }
    (text.trim(), "")
}

/// What `open` and `close` enclose, cut at its commas; nothing when `text` is not enclosed.
fn parts(text: &str, open: char, close: char) -> Vec<&str> {
    let inside = text.trim().strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let mut rest = inside.unwrap_or("");
    let mut parts = Vec::new();
    while !rest.trim().is_empty() {
        let (part, behind) = value(rest);
        parts.push(part);
        rest = behind.strip_prefix(',').unwrap_or("");
    }
    parts
}

fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    parts(object, '{', '}').into_iter().find_map(|member| {
        let behind = member.strip_prefix('"')?.strip_prefix(name)?.strip_prefix('"')?;
        Some(behind.trim_start().strip_prefix(':')?.trim())
    })
}

/// A string without its quotes.
fn string(json: &str) -> Option<&str> {
    json.trim().strip_prefix('"')?.strip_suffix('"')
}

fn bad_input(expected: &str) -> Failure {
    Failure::for_good("bad_input", expected)
}

// {"name": "Ada Lovelace"} → ["Ada","Lovelace"]
fn split(call: &Call, input: &str) -> Result<String, Failure> {
    let name = member(input, "name")
        .and_then(string)
        .ok_or_else(|| bad_input("expected an object with a string \"name\""))?;
    let names: Vec<String> =
        name.split(' ').filter(|part| !part.is_empty()).map(|part| format!("\"{part}\"")).collect();
    if names.is_empty() {
        return Err(Failure::for_good("no_name", "there is nobody to greet: \"name\" is empty"));
    }
    call.info("greeting somebody from Rust");
    Ok(format!("[{}]", names.join(",")))
}

// "Ada" → "Hello, Ada!"
fn greet(_: &Call, input: &str) -> Result<String, Failure> {
    let name = string(input).ok_or_else(|| bad_input("expected a string"))?;
    Ok(format!("\"Hello, {name}!\""))
}

// {"greet": ["Hello, Ada!", "Hello, Lovelace!"]} → {"text":"Hello, Ada! Hello, Lovelace!"}
fn compose(_: &Call, input: &str) -> Result<String, Failure> {
    let lines = member(input, "greet")
        .filter(|lines| lines.starts_with('['))
        .ok_or_else(|| bad_input("expected an object with an array \"greet\""))?;
    let texts: Vec<&str> = parts(lines, '[', ']').into_iter().filter_map(string).collect();
    Ok(format!("{{\"text\":\"{}\"}}", texts.join(" ")))
}

weir::plugin! {
    manifest: concat!(
        r#"{"weir":1,"plugin":"hello_rust","version":"1.0.0","flows":["#,
        r#"{"module":"examples.HelloRust","slug":"hello_rust","#,
        r#""input_schema":{"type":"object","properties":{"name":{"type":"string"}},"#,
        r#""required":["name"]},"#,
        r#""steps":["#,
        r#"{"slug":"split","kind":"single","depends_on":[]},"#,
        r#"{"slug":"greet","kind":"map","depends_on":["split"]},"#,
        r#"{"slug":"compose","kind":"single","depends_on":["greet"]}]}]}"#
    ),
    name: "hello_rust",
    version: "1.0.0",
    flows: [
        {
            module: "examples.HelloRust",
            slug: "hello_rust",
            steps: ["split" => split, "greet" => greet, "compose" => compose]
        },
    ],
}
