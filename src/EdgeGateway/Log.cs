using Microsoft.Extensions.Logging;

namespace EdgeGateway;

/// <summary>Every log message of the program. Quiet while all is well: changes are logged once, not each failed poll.</summary>
internal static partial class Log
{
    // 1xx: life of the process
    [LoggerMessage(101, LogLevel.Information, "Gateway {Gateway} of site {Site} started: {Devices} devices, {Points} points on {Buses} buses, configuration {Hash}")]
    public static partial void Started(ILogger log, string gateway, string site, int devices, int points, int buses, string hash);

    [LoggerMessage(102, LogLevel.Information, "Stopping: finishing the last commit and waiting up to 3 s for the uplinks")]
    public static partial void Stopping(ILogger log);

    [LoggerMessage(103, LogLevel.Information, "Stopped; {Rows} rows wait in the outbox")]
    public static partial void Stopped(ILogger log, long rows);

    [LoggerMessage(104, LogLevel.Error, "{Part} ended by a fault and is started again in {Delay}")]
    public static partial void PartFailed(ILogger log, string part, TimeSpan delay, Exception exception);

    [LoggerMessage(105, LogLevel.Warning, "The wall clock stepped by {Step}")]
    public static partial void ClockStepped(ILogger log, TimeSpan step);

    [LoggerMessage(106, LogLevel.Error, "The loop of {Part} is blocked: it has not turned for {Seconds:F0} s. The watchdog is no longer fed")]
    public static partial void LoopBlocked(ILogger log, string part, double seconds);

    [LoggerMessage(107, LogLevel.Warning, "The loop of {Part} turns again")]
    public static partial void LoopTurnsAgain(ILogger log, string part);

    [LoggerMessage(108, LogLevel.Error, "A task failed and nobody looked at it ({Count} so far)")]
    public static partial void TaskUnobserved(ILogger log, long count, Exception exception);

    [LoggerMessage(109, LogLevel.Information, "Reload: configuration {Hash} is taken over")]
    public static partial void Reloading(ILogger log, string hash);

    [LoggerMessage(110, LogLevel.Error, "Reload refused, the running configuration stays in force: {Problem}")]
    public static partial void ReloadRefused(ILogger log, string problem);

    [LoggerMessage(111, LogLevel.Error, "The new configuration could not be started, the one before is taken back: {Problem}")]
    public static partial void ReloadFailed(ILogger log, string problem);

    [LoggerMessage(112, LogLevel.Warning, "The good configuration could not be copied beside the store: {Problem}")]
    public static partial void GoodCopyFailed(ILogger log, string problem);

    [LoggerMessage(113, LogLevel.Error, "The last readings could not be committed before the stop; they show as missing: {Problem}")]
    public static partial void LastCommitFailed(ILogger log, string problem);

    [LoggerMessage(114, LogLevel.Warning, "{Part} did not end in time and is left behind")]
    public static partial void PartLeftBehind(ILogger log, string part);

    [LoggerMessage(115, LogLevel.Error, "The gateway ended by a fault and is started again in {Delay}")]
    public static partial void GatewayFailed(ILogger log, TimeSpan delay, Exception exception);

    [LoggerMessage(116, LogLevel.Information, "Time quality: {Quality}. {Text}")]
    public static partial void TimeQualityChanged(ILogger log, string quality, string text);

    [LoggerMessage(117, LogLevel.Information, "The clock was set by {Step}: readings that were held are dated by it")]
    public static partial void ClockSet(ILogger log, TimeSpan step);

    [LoggerMessage(118, LogLevel.Warning, "The computer's clock was set by {Step} to a time that cannot be: the gateway goes on by its monotonic clock. Set the computer's clock")]
    public static partial void ClockRefused(ILogger log, TimeSpan step);

    [LoggerMessage(119, LogLevel.Error, "The rule {Rule} failed and found nothing in that sample ({Count} failures of rules since the start): a defect to report")]
    public static partial void RuleFailed(ILogger log, string rule, long count, Exception exception);

    // 2xx: buses
    [LoggerMessage(201, LogLevel.Warning, "Device {Device} on bus {Bus} does not answer: {Problem}")]
    public static partial void DeviceDown(ILogger log, string device, string bus, string problem);

    [LoggerMessage(202, LogLevel.Information, "Device {Device} on bus {Bus} answers again")]
    public static partial void DeviceBack(ILogger log, string device, string bus);

    [LoggerMessage(203, LogLevel.Warning, "Bus {Bus}, {Input}: {Problem}")]
    public static partial void InputLost(ILogger log, string bus, string input, string problem);

    [LoggerMessage(204, LogLevel.Information, "Bus {Bus}, {Input}: has a value again")]
    public static partial void InputBack(ILogger log, string bus, string input);

    [LoggerMessage(205, LogLevel.Information, "Bus {Bus}, {Input}: {How}")]
    public static partial void LineTaken(ILogger log, string bus, string input, string how);

    [LoggerMessage(206, LogLevel.Warning, "Bus {Bus}, {Input}: what was kept could not be taken over, pulses may be missing: {Problem}")]
    public static partial void LineNotTakenOver(ILogger log, string bus, string input, string problem);

    [LoggerMessage(207, LogLevel.Information, "Bus {Bus}, output {Input}: set to its safe state {State}")]
    public static partial void OutputSafe(ILogger log, string bus, string input, string state);

    [LoggerMessage(208, LogLevel.Error, "Bus {Bus}, output {Input}: could not be set to its safe state {State}: {Problem}")]
    public static partial void OutputNotSafe(ILogger log, string bus, string input, string state, string problem);

    [LoggerMessage(209, LogLevel.Error, "The committed total {Key} is damaged: it is counted from nothing")]
    public static partial void TotalDamaged(ILogger log, string key);

    // 3xx: storage
    [LoggerMessage(301, LogLevel.Information, "Resumed from checkpoint {Checkpoint}: {Batches} batches of the sample log replayed")]
    public static partial void Resumed(ILogger log, long checkpoint, long batches);

    [LoggerMessage(302, LogLevel.Error, "The store cannot be written; readings wait in memory and the commit is tried again: {Problem}")]
    public static partial void StoreFailing(ILogger log, string problem);

    [LoggerMessage(316, LogLevel.Error, "The store cannot be opened: {Problem} The gateway polls and hands the newest values on, unnumbered; it tries the store again by itself, at least every five minutes")]
    public static partial void StoreNotOpened(ILogger log, string problem);

    [LoggerMessage(317, LogLevel.Warning, "{Text}")]
    public static partial void LossLinesRotten(ILogger log, string text);

    [LoggerMessage(303, LogLevel.Information, "The store can be written again; {NotStored} readings found no place in memory meanwhile")]
    public static partial void StoreBack(ILogger log, long notStored);

    [LoggerMessage(304, LogLevel.Warning, "Records are lost: {Records} of stream {Stream} and perhaps more ({Reason}); the feed says which")]
    public static partial void RecordsLost(ILogger log, long records, string stream, string reason);

    [LoggerMessage(305, LogLevel.Warning, "The store was damaged ({Cause}): {Rows} rows and {Batches} batches were saved, the files were set aside as {SetAside}, and epoch {Epoch} begins")]
    public static partial void StoreSalvaged(ILogger log, string cause, long rows, long batches, string setAside, long epoch);

    [LoggerMessage(306, LogLevel.Error, "The state of the last run cannot be used: {Reason}. What can be read is salvaged")]
    public static partial void StateDamaged(ILogger log, string reason);

    [LoggerMessage(310, LogLevel.Error, "{Problem}")]
    public static partial void DiskFull(ILogger log, string problem);

    [LoggerMessage(311, LogLevel.Information, "The file system has space again; the store is back to its budget")]
    public static partial void DiskHasSpace(ILogger log);

    [LoggerMessage(312, LogLevel.Warning, "{Percent} % of the store is in use, mark {Mark} % is passed: bring the link back, or raise storage.budget")]
    public static partial void StoreFilling(ILogger log, int percent, int mark);

    [LoggerMessage(313, LogLevel.Information, "{Percent} % of the store is in use; the mark in force is {Mark} % (0: none)")]
    public static partial void StoreDraining(ILogger log, int percent, int mark);

    [LoggerMessage(314, LogLevel.Warning, "The full check of the store found: {Finding}")]
    public static partial void StoreChecked(ILogger log, string finding);

    // 5xx: writes to devices
    [LoggerMessage(501, LogLevel.Information, "Write {Id} begun by {Who}: {Text} to {Device}.{Point} ({Cause}); reason: {Reason}")]
    public static partial void WriteBegun(ILogger log, string id, string who, string text, string device, string point, string cause, string reason);

    [LoggerMessage(502, LogLevel.Information, "Write {Id} ended: {Device}.{Point} {Outcome} {Detail}")]
    public static partial void WriteEnded(ILogger log, string id, string device, string point, string outcome, string detail);

    [LoggerMessage(503, LogLevel.Warning, "Write {Id} ended: {Device}.{Point} {Outcome}: {Detail}. Look at the device before writing again; nothing is repeated by itself")]
    public static partial void WriteNotConfirmed(ILogger log, string id, string device, string point, string outcome, string detail);

    [LoggerMessage(504, LogLevel.Warning, "{Who} may not write '{Value}' to {Device}.{Point}: {Refusal}")]
    public static partial void WriteRefused(ILogger log, string who, string value, string device, string point, string refusal);

    [LoggerMessage(505, LogLevel.Warning, "The safe value of {Device}.{Point} is due and not confirmed yet: {Problem}. It is tried again")]
    public static partial void SafeValueWaits(ILogger log, string device, string point, string problem);

    [LoggerMessage(506, LogLevel.Error, "The safe value of {Device}.{Point} is due and may not be written: {Refusal} The device keeps {Value}")]
    public static partial void SafeValueRefused(ILogger log, string device, string point, string refusal, string value);

    [LoggerMessage(507, LogLevel.Error, "The outcome of write {Id} is not on the disk yet: {Problem}")]
    public static partial void OutcomeNotRecorded(ILogger log, string id, string problem);

    [LoggerMessage(508, LogLevel.Information, "{Count} writes made without a running gateway are published now")]
    public static partial void OfflineWritesTaken(ILogger log, int count);

    [LoggerMessage(509, LogLevel.Error, "{File} holds a line that is no record of a write: {Line}")]
    public static partial void OfflineLineUnreadable(ILogger log, string file, string line);

    [LoggerMessage(510, LogLevel.Error, "The safe value {Text} of {Device}.{Point} is sent although it cannot be recorded now: {Problem}. It is recorded when the store can be written again")]
    public static partial void SafeValueNotRecorded(ILogger log, string device, string point, string text, string problem);

    [LoggerMessage(511, LogLevel.Error, "{What} (note {Key}: {Text})")]
    public static partial void WriteRecordLost(ILogger log, string what, string key, string text);

    [LoggerMessage(512, LogLevel.Error, "{What}")]
    public static partial void OfflineWritesNotTaken(ILogger log, string what, Exception exception);

    [LoggerMessage(513, LogLevel.Warning, "{Text} to {Device}.{Point}, written without a running gateway, takes the place of a value that would have given way to the safe one: no safe value is written")]
    public static partial void OfflineWriteReplaces(ILogger log, string text, string device, string point);

    [LoggerMessage(601, LogLevel.Information, "Metrics are sent to {Collector} every {Seconds:0.#} s")]
    public static partial void TelemetryExported(ILogger log, string collector, double seconds);

    [LoggerMessage(602, LogLevel.Warning, "The collector {Collector} does not take metrics or traces ({Reason}). The gateway works without it; check its address, that it runs, and that 'caFile' names the authority of its certificate, or take 'telemetry' out of gateway.yaml")]
    public static partial void CollectorAway(ILogger log, string collector, string reason);

    [LoggerMessage(603, LogLevel.Information, "The collector {Collector} takes metrics and traces again")]
    public static partial void CollectorBack(ILogger log, string collector);

    [LoggerMessage(318, LogLevel.Information, "The history was stated again: {From} before, {To} now; {Count} months of accounts change. Entries that were published stay as they are")]
    public static partial void HistoryRestated(ILogger log, string from, string to, int count);

    [LoggerMessage(319, LogLevel.Warning, "This version of the program makes other records of the samples since the last checkpoint than the one that committed them ({Difference}). What was committed stands; it goes on from there")]
    public static partial void ReplayedOtherwise(ILogger log, string difference);

    [LoggerMessage(307, LogLevel.Warning, "The state of the last run was not taken over: {Reason}. Counters start from their next reading")]
    public static partial void StateNotTakenOver(ILogger log, string reason);

    [LoggerMessage(514, LogLevel.Warning, "The store was {Cause}; every stream begins epoch {Epoch}")]
    public static partial void StoreRestored(ILogger log, string cause, long epoch);
}
