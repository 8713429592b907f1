//! Weir's plugin ABI for Rust: weir/abi/plugin.h and weir/abi/note.h, and a boundary that no panic
//! crosses. No crates, no Cargo.
#![allow(dead_code)]

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

const OK: i32 = 0;
const FAILED: i32 = 1;
const FAILED_FOR_GOOD: i32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    data: *const u8,
    size: usize,
}

const fn text(from: &str) -> Str {
    Str { data: from.as_ptr(), size: from.len() }
}

impl Str {
    // The host promises UTF-8, and the ABI says how long the text lives.
    unsafe fn view<'a>(self) -> &'a str {
        if self.size == 0 {
            return "";
        }
        std::str::from_utf8_unchecked(std::slice::from_raw_parts(self.data, self.size))
    }
}

#[repr(C)]
pub struct Host {
    struct_size: u32,
    abi_major: u16,
    abi_minor: u16,
    output: extern "C" fn(*mut c_void, Str) -> i32,
    fail: extern "C" fn(*mut c_void, i32, Str, Str, u64) -> i32,
    log: extern "C" fn(*mut c_void, i32, Str),
    cancelled: extern "C" fn(*mut c_void) -> i32,
    get: extern "C" fn(*mut c_void, Str) -> Str,
    extension: extern "C" fn(*const Host, Str) -> *const c_void,
}

/// What a handler can read about its call, and can report during it.
pub struct Call<'a> {
    host: &'a Host,
    call: *mut c_void,
}

impl Call<'_> {
    pub fn debug(&self, line: &str) {
        (self.host.log)(self.call, 0, text(line));
    }
    pub fn info(&self, line: &str) {
        (self.host.log)(self.call, 1, text(line));
    }
    pub fn warn(&self, line: &str) {
        (self.host.log)(self.call, 2, text(line));
    }
    /// Whether the work should stop: its timeout passed, its run was cancelled or the worker shuts
    /// down. Cheap: ask often.
    pub fn cancelled(&self) -> bool {
        (self.host.cancelled)(self.call) != 0
    }
    /// "run_id", "flow", "step", "attempt", "task_index", "flow_input"; "" for an unknown one.
    pub fn fact(&self, key: &str) -> &str {
        unsafe { (self.host.get)(self.call, text(key)).view() }
    }
}

/// Why a step failed.
pub struct Failure {
    kind: i32,
    code: String,
    message: String,
    retry_after: Duration,
}

impl Failure {
    /// The step is retried, as its options say. `code` is a short stable word.
    pub fn again(code: &str, message: &str) -> Failure {
        Failure::new(FAILED, code, message)
    }
    pub fn for_good(code: &str, message: &str) -> Failure {
        Failure::new(FAILED_FOR_GOOD, code, message)
    }
    /// The step is retried after that time instead of the usual backoff.
    pub fn retry_after(delay: Duration, message: &str) -> Failure {
        Failure { retry_after: delay, ..Failure::new(FAILED, "retry_after", message) }
    }
    fn new(kind: i32, code: &str, message: &str) -> Failure {
        Failure { kind, code: code.into(), message: message.into(), retry_after: Duration::ZERO }
    }
}

/// Takes the task's input and returns the step's output; both are JSON.
pub type Handler = fn(&Call, &str) -> Result<String, Failure>;

/// The boundary: reports to the host how the handler ended.
pub fn run(host: *const Host, call: *mut c_void, input: Str, handler: Handler) -> i32 {
    let call = Call { host: unsafe { &*host }, call };
    let ended = catch_unwind(AssertUnwindSafe(|| handler(&call, unsafe { input.view() })));
    let failure = match ended {
        Ok(Ok(json)) => {
            let refused = (call.host.output)(call.call, text(&json)) != 0;
            return if refused { FAILED_FOR_GOOD } else { OK };
        }
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            Failure::again("panic", &message.unwrap_or_else(|| "the handler panicked".into()))
        }
    };
    let delay = failure.retry_after.as_millis() as u64;
    (call.host.fail)(call.call, failure.kind, text(&failure.code), text(&failure.message), delay);
    failure.kind
}

type Run = extern "C" fn(*const Host, *mut c_void, Str, *mut c_void) -> i32;

#[repr(C)]
pub struct Step {
    struct_size: u32,
    reserved: u32,
    slug: Str,
    run: Option<Run>,
    user: *mut c_void,
}

impl Step {
    /// `run` is None for a wait and for a step that starts another flow.
    pub const fn new(slug: &'static str, run: Option<Run>) -> Step {
        let struct_size = std::mem::size_of::<Step>() as u32;
        Step { struct_size, reserved: 0, slug: text(slug), run, user: std::ptr::null_mut() }
    }
}

#[repr(C)]
pub struct Flow {
    struct_size: u32,
    step_count: u32,
    module: Str,
    slug: Str,
    steps: *const Step,
    step_stride: u32,
    reserved: u32,
}

impl Flow {
    pub const fn new(module: &'static str, slug: &'static str, steps: &'static [Step]) -> Flow {
        Flow {
            struct_size: std::mem::size_of::<Flow>() as u32,
            step_count: steps.len() as u32,
            module: text(module),
            slug: text(slug),
            steps: steps.as_ptr(),
            step_stride: std::mem::size_of::<Step>() as u32,
            reserved: 0,
        }
    }
}

#[repr(C)]
pub struct Plugin {
    magic: u64,
    struct_size: u32,
    abi_major: u16,
    abi_minor: u16,
    name: Str,
    version: Str,
    manifest: Str,
    flows: *const Flow,
    flow_count: u32,
    flow_stride: u32,
    build_info: Str,
}

unsafe impl Sync for Plugin {}

impl Plugin {
    pub const fn new(
        name: &'static str,
        version: &'static str,
        manifest: *const u8,
        manifest_size: usize,
        flows: &'static [Flow],
    ) -> Plugin {
        Plugin {
            magic: 0x314E_474C_5052_4957,
            struct_size: std::mem::size_of::<Plugin>() as u32,
            abi_major: 1,
            abi_minor: 0,
            name: text(name),
            version: text(version),
            manifest: Str { data: manifest, size: manifest_size },
            flows: flows.as_ptr(),
            flow_count: flows.len() as u32,
            flow_stride: std::mem::size_of::<Flow>() as u32,
            build_info: text("rustc"),
        }
    }
}

/// The manifest as an ELF note, which is read without loading the file.
#[repr(C, align(4))]
pub struct Note<const SIZE: usize> {
    name_size: u32,
    description_size: u32,
    kind: u32,
    name: [u8; 8],
    pub description: [u8; SIZE],
}

impl<const SIZE: usize> Note<SIZE> {
    pub const fn new(manifest: &str) -> Note<SIZE> {
        let mut description = [0; SIZE];
        let mut i = 0;
        while i < manifest.len() {
            description[i] = manifest.as_bytes()[i];
            i += 1;
        }
        let description_size = manifest.len() as u32;
        Note { name_size: 5, description_size, kind: 1, name: *b"Weir\0\0\0\0", description }
    }
}

macro_rules! step {
    ($step:expr) => {
        $crate::weir::Step::new($step, None)
    };
    ($step:expr => $handler:path) => {{
        extern "C" fn run(
            host: *const $crate::weir::Host,
            call: *mut std::ffi::c_void,
            input: $crate::weir::Str,
            _user: *mut std::ffi::c_void,
        ) -> i32 {
            $crate::weir::run(host, call, input, $handler)
        }
        $crate::weir::Step::new($step, Some(run))
    }};
}
pub(crate) use step;

/// Makes the plugin: its note, and the definition symbol that points into it. Steps are
/// `"slug" => handler`; a step without code, a wait or a flow step, is only its slug.
macro_rules! plugin {
    (manifest: $manifest:expr, name: $name:expr, version: $version:expr, flows: [$(
        { module: $module:expr, slug: $slug:expr, steps: [$($step:expr $(=> $handler:path)?),* $(,)?] }
    ),* $(,)?] $(,)?) => {
        const WEIR_MANIFEST: &str = $manifest;

        #[used]
        #[link_section = ".note.weir"]
        static WEIR_NOTE: $crate::weir::Note<{ (WEIR_MANIFEST.len() + 3) & !3 }> =
            $crate::weir::Note::new(WEIR_MANIFEST);

        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static weir_plugin_v1: $crate::weir::Plugin = {
            const FLOWS: &[$crate::weir::Flow] = &[$({
                const STEPS: &[$crate::weir::Step] =
                    &[$($crate::weir::step!($step $(=> $handler)?)),*];
                $crate::weir::Flow::new($module, $slug, STEPS)
            }),*];
            $crate::weir::Plugin::new(
                $name,
                $version,
                WEIR_NOTE.description.as_ptr(),
                WEIR_MANIFEST.len(),
                FLOWS,
            )
        };
    };
}
pub(crate) use plugin;
