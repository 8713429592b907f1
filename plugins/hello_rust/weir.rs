//! Weir's plugin ABI for Rust: weir/abi/plugin.h and weir/abi/note.h, and a boundary that no panic
//! crosses. Handlers that wait are futures, by weir/abi/async.h. No crates, no Cargo.
#![allow(dead_code)]

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_void;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

const OK: i32 = 0;
const FAILED: i32 = 1;
const FAILED_FOR_GOOD: i32 = 2;
const CANCELLED: i32 = 3;
const PENDING: i32 = 4;

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
    fn stopped() -> Failure {
        Failure::new(CANCELLED, "", "")
    }
    fn new(kind: i32, code: &str, message: &str) -> Failure {
        Failure { kind, code: code.into(), message: message.into(), retry_after: Duration::ZERO }
    }
}

/// What a step returns: its output as JSON, or why it failed.
pub type Outcome = Result<String, Failure>;

/// A step's code, which takes the task's input as JSON: `fn(&Call, &str) -> Outcome` (Now), or
/// `async fn(AsyncCall, String) -> Outcome` (Later), which is given to the executor below.
pub trait Handler<When> {
    fn call(self, host: &'static Host, call: *mut c_void, input: &str) -> i32;
}
pub struct Now;
pub struct Later;

impl<F: Fn(&Call, &str) -> Outcome> Handler<Now> for F {
    fn call(self, host: &'static Host, call: *mut c_void, input: &str) -> i32 {
        let ended = catch_unwind(AssertUnwindSafe(|| self(&Call { host, call }, input)));
        report(host, call, ended.unwrap_or_else(|panic| Err(panicked(panic))))
    }
}

/// The boundary of a step: reports to the host how the handler ended.
pub fn run<When>(
    host: *const Host,
    call: *mut c_void,
    input: Str,
    code: impl Handler<When>,
) -> i32 {
    code.call(unsafe { &*host }, call, unsafe { input.view() })
}

/// Says to the host how the handler ended, and returns what `run` or `complete` says then.
fn report(host: &Host, call: *mut c_void, ended: Outcome) -> i32 {
    match ended {
        Ok(json) if (host.output)(call, text(&json)) == 0 => OK,
        Ok(_) => FAILED_FOR_GOOD,
        Err(failure) if failure.kind == CANCELLED => CANCELLED,
        Err(failure) => {
            let delay = failure.retry_after.as_millis() as u64;
            (host.fail)(call, failure.kind, text(&failure.code), text(&failure.message), delay);
            failure.kind
        }
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Failure {
    let message = match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().unwrap_or(&"the handler panicked").to_string(),
    };
    Failure::again("panic", &message)
}

// Handlers that wait: weir/abi/async.h.

#[repr(C)]
struct Async {
    struct_size: u32,
    reserved: u32,
    defer: extern "C" fn(*mut c_void) -> *mut c_void,
    complete: extern "C" fn(*mut c_void, i32) -> i32,
    on_stop: extern "C" fn(*mut c_void, extern "C" fn(*mut c_void), *mut c_void) -> i32,
    enter: extern "C" fn(*mut c_void),
    leave: extern "C" fn(*mut c_void),
}

#[repr(C)]
struct VirtualTime {
    struct_size: u32,
    reserved: u32,
    pass: extern "C" fn(*mut c_void, u64) -> i32,
}

#[repr(C)]
struct Maker {
    struct_size: u32,
    reserved: u32,
    create: extern "C" fn(*mut c_void, *mut c_void) -> *mut c_void,
    destroy: extern "C" fn(*mut c_void),
    user: *mut c_void,
    kind: *const c_void,
}

#[repr(C)]
struct Acquired {
    struct_size: u32,
    reserved: u32,
    resource: *mut c_void,
    code: Str,
    message: Str,
}

#[repr(C)]
struct Resources {
    struct_size: u32,
    reserved: u32,
    acquire: extern "C" fn(*mut c_void, Str, *const Maker, *mut Acquired) -> i32,
    refuse: extern "C" fn(*mut c_void, Str, Str),
    discard: extern "C" fn(*mut c_void, *const c_void),
}

impl Host {
    /// Of the type that the ABI gives to that name.
    unsafe fn extension<T>(&'static self, name: &str) -> Option<&'static T> {
        (self.extension)(self, text(name)).cast::<T>().as_ref()
    }
}

/// No code of a handler runs under a lock, so a panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call as the host names it: the number of a deferred one, or an address while `run` runs.
#[derive(Clone, Copy, PartialEq)]
struct Name(*mut c_void);
unsafe impl Send for Name {}
unsafe impl Sync for Name {}

/// What an asynchronous handler can read about its call, and can report during it. It may outlive the
/// call: then it reads "", and what it reports is ignored.
pub struct AsyncCall {
    task: Arc<Task>,
}

impl AsyncCall {
    pub fn debug(&self, line: &str) {
        self.task.with(|call| call.debug(line));
    }
    pub fn info(&self, line: &str) {
        self.task.with(|call| call.info(line));
    }
    pub fn warn(&self, line: &str) {
        self.task.with(|call| call.warn(line));
    }
    /// As Call::fact.
    pub fn fact(&self, key: &str) -> String {
        self.task.with(|call| call.fact(key).into()).unwrap_or_default()
    }
    /// Waits without a thread; in a test, in virtual time, it passes at once. When the work should
    /// stop, the handler's future is dropped, here or wherever else it waits.
    pub fn sleep(&self, duration: Duration) -> Sleep<'_> {
        Sleep { task: &self.task, duration, until: None }
    }
}

/// What AsyncCall::sleep gives.
pub struct Sleep<'a> {
    task: &'a Arc<Task>,
    duration: Duration,
    until: Option<Instant>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context) -> Poll<()> {
        if self.until.is_none() {
            match self.task.pass(self.duration) {
                Some(true) => return Poll::Ready(()),
                Some(false) => {
                    self.task.stop();
                    return Poll::Pending;
                }
                None => {}
            }
            let longest = Duration::from_secs(100 * 365 * 86_400);
            self.until = Some(Instant::now() + self.duration.min(longest));
        }
        let until = self.until.unwrap_or_else(Instant::now);
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        let mut waits = lock(&self.task.waits);
        waits.due = Some(waits.due.map_or(until, |due| due.min(until)));
        Poll::Pending
    }
}

type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One execution of an asynchronous handler.
struct Task {
    host: &'static Host,
    deferred: Option<&'static Async>,
    name: RwLock<Option<Name>>, // None: the call is over
    executor: Arc<Executor>,
    work: Mutex<Option<Work>>, // None: it has ended; used by the executor's thread alone
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    due: Option<Instant>, // what the future waits for, set while it is polled
    stopped: bool,
}

impl Task {
    /// Nothing can end the call meanwhile. None: it is over.
    fn with<T>(&self, use_call: impl FnOnce(&Call) -> T) -> Option<T> {
        let name = self.name.read().unwrap_or_else(PoisonError::into_inner);
        name.map(|Name(call)| use_call(&Call { host: self.host, call }))
    }

    /// As weir/abi/virtual_time.h; None: time is real.
    fn pass(&self, duration: Duration) -> Option<bool> {
        let time: &VirtualTime = unsafe { self.host.extension("weir.virtual_time.v1") }?;
        let nanoseconds = duration.as_nanos().min(u64::MAX.into()) as u64;
        self.with(|call| (time.pass)(call.call, nanoseconds) == OK)
    }

    fn stop(self: &Arc<Self>) {
        lock(&self.waits).stopped = true;
        self.executor.ready(self.clone());
    }

    extern "C" fn on_stop(task: *mut c_void) {
        let task = task as *const Task;
        // complete() waits for this, and keeps the task until then.
        let task = unsafe {
            Arc::increment_strong_count(task);
            Arc::from_raw(task)
        };
        task.stop();
    }

    /// Goes on with the handler; what it returns then, if it has ended.
    fn poll(self: &Arc<Self>) -> Option<Outcome> {
        let mut work = lock(&self.work).take()?;
        let stopped = {
            let mut waits = lock(&self.waits);
            waits.due = None;
            waits.stopped
        };
        if stopped {
            return Some(dropped(work).and(Err(Failure::stopped())));
        }
        let waker = Waker::from(self.clone());
        let polled =
            catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(&waker))));
        match polled {
            Ok(Poll::Pending) => {
                *lock(&self.work) = Some(work);
                None
            }
            Ok(Poll::Ready(ended)) => Some(dropped(work).and(ended)),
            Err(panic) => Some(dropped(work).and(Err(panicked(panic)))),
        }
    }

    /// Says how the handler ended. Nothing reaches the call after that.
    fn end(&self, ended: Outcome) -> i32 {
        let name = self.name.write().unwrap_or_else(PoisonError::into_inner).take();
        let result = name.map_or(CANCELLED, |Name(call)| report(self.host, call, ended));
        if let (Some(host), Some(Name(call))) = (self.deferred, name) {
            (host.complete)(call, result);
        }
        result
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.executor.clone().ready(self);
    }
}

/// Destroys the future, which may panic too.
fn dropped(work: Work) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(|| drop(work))).map_err(panicked)
}

/// Polls futures on one thread when they are woken or what they wait for is due.
#[derive(Default)]
struct Executor {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    ready: VecDeque<Arc<Task>>,
    timers: BTreeMap<(Instant, usize), Arc<Task>>, // by time and address
    ending: bool,
}

impl Executor {
    fn ready(&self, task: Arc<Task>) {
        let mut queue = lock(&self.queue);
        if !queue.ending {
            queue.ready.push_back(task);
            self.changed.notify_one();
        }
    }

    /// No task is ready any more; those that are lose their place, which would keep this alive.
    fn end(&self) {
        let mut queue = lock(&self.queue);
        queue.ending = true;
        let left = (std::mem::take(&mut queue.ready), std::mem::take(&mut queue.timers));
        self.changed.notify_one();
        drop(queue);
        drop(left);
    }

    /// The next task that can go on; None: the executor ends, or `patience` is over.
    fn next(&self, patience: Option<Duration>) -> Option<Arc<Task>> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut queue = lock(&self.queue);
        loop {
            let now = Instant::now();
            let first = queue.timers.keys().next().copied();
            if let Some(timer) = first.filter(|(due, _)| *due <= now) {
                return queue.timers.remove(&timer);
            }
            if let Some(task) = queue.ready.pop_front() {
                return Some(task);
            }
            if queue.ending || until.is_some_and(|until| until <= now) {
                return None;
            }
            queue = match first.map(|(due, _)| due).into_iter().chain(until).min() {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let waited = self.changed.wait_timeout(queue, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Goes on with a task, until it waits again. What it returns to the host, if it has ended.
    fn step(&self, task: &Arc<Task>) -> Option<i32> {
        let name = task.name.read().map(|name| *name).unwrap_or(None);
        match (task.deferred, name) {
            (Some(host), Some(Name(call))) => {
                (host.enter)(call);
                let ended = self.poll(task);
                (host.leave)(call);
                ended
            }
            _ => self.poll(task),
        }
    }

    fn poll(&self, task: &Arc<Task>) -> Option<i32> {
        let timer = |due| (due, Arc::as_ptr(task) as usize);
        if let Some(due) = lock(&task.waits).due.take() {
            lock(&self.queue).timers.remove(&timer(due));
        }
        let ended = task.poll();
        if let Some(ended) = ended {
            return Some(task.end(ended));
        }
        if let Some(due) = lock(&task.waits).due {
            lock(&self.queue).timers.insert(timer(due), task.clone());
        }
        None
    }

    fn serve(&self) {
        while let Some(task) = self.next(None) {
            self.step(&task);
        }
    }
}

/// The executor of all calls that are deferred, with its thread: a resource of the plugin
/// (weir/abi/resources.h). Its thread ends with it, so none runs when the code is unloaded.
struct Shared {
    executor: Arc<Executor>,
    thread: std::thread::JoinHandle<()>,
}

impl Shared {
    extern "C" fn create(start: *mut c_void, resources: *mut c_void) -> *mut c_void {
        let executor = Arc::new(Executor::default());
        let serving = executor.clone();
        let spawned =
            std::thread::Builder::new().name("futures".into()).spawn(move || serving.serve());
        match spawned {
            Ok(thread) => Box::into_raw(Box::new(Shared { executor, thread })).cast(),
            Err(error) => {
                let resources = unsafe { &*(resources as *const Resources) };
                (resources.refuse)(start, text("no_thread"), text(&error.to_string()));
                std::ptr::null_mut()
            }
        }
    }

    extern "C" fn destroy(shared: *mut c_void) {
        let shared = unsafe { Box::from_raw(shared as *mut Shared) };
        shared.executor.end();
        let _ = shared.thread.join(); // it catches every panic
    }

    /// The one of this plugin. `call` has it until it is completed.
    fn acquire(host: &'static Host, call: *mut c_void) -> Result<Arc<Executor>, Failure> {
        let resources: &Resources = unsafe { host.extension("weir.resources.v1") }
            .ok_or_else(|| Failure::for_good("no_resources", "this host has no resources"))?;
        static KIND: u8 = 0;
        let maker = Maker {
            struct_size: std::mem::size_of::<Maker>() as u32,
            reserved: 0,
            create: Shared::create,
            destroy: Shared::destroy,
            user: resources as *const Resources as *mut c_void,
            kind: std::ptr::addr_of!(KIND).cast(),
        };
        let mut acquired = Acquired {
            struct_size: std::mem::size_of::<Acquired>() as u32,
            reserved: 0,
            resource: std::ptr::null_mut(),
            code: text(""),
            message: text(""),
        };
        match (resources.acquire)(call, text("weir.rs executor"), &maker, &mut acquired) {
            OK => Ok(unsafe { &*(acquired.resource as *const Shared) }.executor.clone()),
            CANCELLED => Err(Failure::stopped()),
            _ => Err(unsafe { Failure::again(acquired.code.view(), acquired.message.view()) }),
        }
    }
}

impl<F, R> Handler<Later> for F
where
    F: FnOnce(AsyncCall, String) -> R + Send + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    fn call(self, host: &'static Host, call: *mut c_void, input: &str) -> i32 {
        let input = input.to_string();
        let new_task = |deferred, call, executor| {
            let task = Arc::new(Task {
                host,
                deferred,
                name: RwLock::new(Some(Name(call))),
                executor,
                work: Mutex::default(),
                waits: Mutex::default(),
            });
            let of_call = AsyncCall { task: task.clone() };
            *lock(&task.work) = Some(Box::pin(async move { self(of_call, input).await }));
            task
        };
        let asynchronous: Option<&Async> = unsafe { host.extension("weir.async.v1") };
        let deferred = asynchronous.and_then(|host| {
            let deferred = (host.defer)(call);
            (!deferred.is_null()).then_some((host, deferred))
        });
        let (asynchronous, deferred) = match deferred {
            Some(deferred) => deferred,
            None => return here(host, call, new_task(None, call, Arc::default())),
        };
        match Shared::acquire(host, deferred) {
            Ok(executor) => {
                let task = new_task(Some(asynchronous), deferred, executor.clone());
                let raw = Arc::as_ptr(&task) as *mut c_void;
                (asynchronous.on_stop)(deferred, Task::on_stop, raw);
                executor.ready(task);
            }
            Err(failure) => {
                let result = report(host, deferred, Err(failure));
                (asynchronous.complete)(deferred, result);
            }
        }
        PENDING
    }
}

/// Where the call cannot be deferred: its thread does it all, and asks whether it should stop.
fn here(host: &'static Host, call: *mut c_void, task: Arc<Task>) -> i32 {
    let executor = task.executor.clone();
    executor.ready(task.clone());
    loop {
        let next = executor.next(Some(Duration::from_millis(10)));
        if let Some(result) = next.and_then(|task| executor.step(&task)) {
            executor.end();
            return result;
        }
        if (host.cancelled)(call) != 0 && !lock(&task.waits).stopped {
            task.stop();
        }
    }
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
