#pragma once
#include "run/recorded_run.hpp"
#include "store/postgres/columns.hpp"
#include "store/run_store.hpp"

// What people read of a database: from which column of the views each member of a report comes.

namespace weir::postgres {

constexpr auto worker_columns = columns_of<WorkerReport>(
    column("worker_id", &WorkerReport::id), column("host", &WorkerReport::host),
    column("pid", &WorkerReport::pid), column("slots", &WorkerReport::slots),
    column("in_flight", &WorkerReport::in_flight), column("runs", &WorkerReport::runs),
    column("alive", &WorkerReport::alive), column("started_at", &WorkerReport::started_at),
    column("lease_until", &WorkerReport::lease_until), column("ended_at", &WorkerReport::ended_at),
    column("end_reason", &WorkerReport::end_reason));

constexpr auto known_flow_columns =
    columns_of<KnownFlow>(column("flow", &KnownFlow::slug), column("version", &KnownFlow::version),
                          column("fingerprint", &KnownFlow::fingerprint),
                          column("input_schema", &KnownFlow::input_schema));

constexpr auto summary_columns = columns_of<RunSummary>(
    column("run_id", &RunSummary::id), column("flow", &RunSummary::flow),
    column("version", &RunSummary::version), column("status", &RunSummary::status),
    column("error", &RunSummary::error), column("created_at", &RunSummary::created_at),
    column("started_at", &RunSummary::started_at), column("ended_at", &RunSummary::ended_at),
    column("wake_at", &RunSummary::wake_at), column("priority", &RunSummary::priority),
    column("tags", &RunSummary::tags), column("note", &RunSummary::note),
    column("parent_run_id", &RunSummary::parent_run));

/// Of the run itself, after those of its summary. $2: whether with values.
constexpr auto run_report_columns = columns_of<RunReport>(
    column("case when $2::boolean then input else 'null' end", &RunReport::input),
    column("case when $2::boolean then output end", &RunReport::output),
    column("waits_for", &RunReport::waits_for));

/// $2: whether with outputs.
constexpr auto step_columns = columns_of<StepReport>(
    column("step", &StepReport::slug), column("kind", &StepReport::kind),
    column("status", &StepReport::status), column("tasks", &StepReport::tasks),
    column("tasks_completed", &StepReport::tasks_completed),
    column("attempts", &StepReport::attempts),
    column("case when $2::boolean then output end", &StepReport::output),
    column("error", &StepReport::error), column("skip_reason", &StepReport::skip_reason),
    column("started_at", &StepReport::started_at), column("ended_at", &StepReport::ended_at),
    column("depends_on", &StepReport::depends_on), column("signal", &StepReport::signal),
    column("until", &StepReport::until), column("child_run_id", &StepReport::child_run),
    column("retried", &StepReport::retried));

constexpr auto version_columns = columns_of<VersionReport>(
    column("flow", &VersionReport::flow), column("version", &VersionReport::number),
    column("module", &VersionReport::module), column("fingerprint", &VersionReport::fingerprint),
    column("created_at", &VersionReport::created_at),
    column("open_runs", &VersionReport::open_runs), column("workers", &VersionReport::workers),
    column("quarantined", &VersionReport::quarantined), column("plugins", &VersionReport::plugins),
    column("adopted_by", &VersionReport::adopted_by),
    column("takes_starts", &VersionReport::takes_starts),
    column("safe_to_remove", &VersionReport::safe_to_remove));

constexpr auto adoption_columns =
    columns_of<Adoption>(column("version", &Adoption::version), column("moved", &Adoption::moved),
                         column("held", &Adoption::held));

constexpr auto plugin_columns = columns_of<ReportedPlugin>(
    column("host", &ReportedPlugin::host), column("pid", &ReportedPlugin::pid),
    column("path", &ReportedPlugin::path), column("sha256", &ReportedPlugin::sha256),
    column("plugin", &ReportedPlugin::plugin), column("version", &ReportedPlugin::version),
    column("flows", &ReportedPlugin::flows), column("state", &ReportedPlugin::state),
    column("isolated", &ReportedPlugin::isolated), column("kind", &ReportedPlugin::kind),
    column("detail", &ReportedPlugin::detail), column("hint", &ReportedPlugin::hint),
    column("until", &ReportedPlugin::until),
    // An older schema has no such column.
    column("(to_jsonb(plugins) ->> 'pending_calls')::integer", &ReportedPlugin::pending_calls));

/// Of a run r and its definition d.
constexpr auto recorded_columns = columns_of<RecordedRun>(
    column("r.flow", &RecordedRun::flow), column("r.version", &RecordedRun::version),
    column("d.module", &RecordedRun::module), column("d.definition", &RecordedRun::definition),
    column("r.input", &RecordedRun::input));

}  // namespace weir::postgres
