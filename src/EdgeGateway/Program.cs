using System.CommandLine;
using EdgeGateway.Commands;
using EdgeGateway.Commands.Profiles;

// The gateway itself draws no tables and needs no other command: neither is loaded at its start.
var isGateway = args is ["run", ..];
if (!isGateway)
{
    Terminal.Prepare();
}

var root = new RootCommand(
    """
    EdgeGateway polls the meters, drives, belts and analysers of a site over Modbus, checks every value, finds
    anomalies, keeps a carbon account for each device, and forwards summaries over MQTT without losing any.

    First steps:
      edgegateway demo                       a simulated mine with a real broker, nothing to configure
      edgegateway setup                      scan, name the devices, write a checked gateway.yaml
      edgegateway check gateway.yaml         say everything that is wrong in a configuration, touch no wire
      edgegateway read incomer               read one device now and show its values
      edgegateway run --config gateway.yaml  run the gateway (SIGTERM stops it within seconds)
      edgegateway scan --port /dev/ttyUSB0   find devices on a line and propose profiles for them
      edgegateway trace BUS                  what passes on a bus, frame by frame, in words
      edgegateway follow DEVICE POINT        one sample from its register to the broker, step by step
      edgegateway write DEVICE POINT VALUE   write one value, where profile and configuration allow it
      edgegateway wiring FILE                draw the wiring of a cabinet from its description
      edgegateway profile new                write a device profile, profile test proves it on the device
      edgegateway verify-feed mqtt://host    prove that nothing of the feed is missing or doubled
      edgegateway replay FILE                recorded samples through the gateway's own code, with charts
      edgegateway factors list               the emission factors, dated, with source and status
      edgegateway statement 2026-10          emissions of a day, month or year: a page to print, CSV, JSON
      edgegateway forecast emissions         what month and year will come to, and how sure that is
      edgegateway ledger verify FILE         check the carbon ledger: nothing changed, nothing missing
      edgegateway meter                      exchanged meters, and telling what they read
      edgegateway detect-bench FOLDER        score the detector for any gauge on labelled series
      edgegateway status                     what the running gateway does, and what is wrong
      edgegateway doctor                     computer, network, broker, store: what is wrong, and the cure
      edgegateway alarms                     what a person must see, why, and what to do next
      edgegateway reload                     take over an edited configuration without losing a poll
      edgegateway backup FILE                store, configuration and keys in one file, while it runs
      edgegateway restore FILE               put a backup back, here or on another computer
      edgegateway wipe                       delete what a gateway keeps of a site, for its last day
      edgegateway soak                       watch a gateway for hours or days: does anything leak or drift?
      edgegateway pulses                     pulses through a wire between two GPIO lines: how many a second count
    """);
Func<Command>[] commands =
[
    RunCommand.Create,
    SetupCommand.Create,
    CheckCommand.Create,
    WiringCommand.Create,
    ConfigCommand.Create,
    ProfileCommand.Create,
    ReadCommand.Create,
    ScanCommand.Create,
    TraceCommand.Create,
    FollowCommand.Create,
    WriteCommand.Create,
    WritesCommand.Create,
    FactorsCommand.Create,
    LedgerCommand.Create,
    StatementCommand.Create,
    ForecastCommand.Create,
    MeterCommand.Create,
    StatusCommand.Create,
    DoctorCommand.Create,
    AlarmsCommand.Create,
    CemsCommand.Create,
    ReloadCommand.Create,
    BackupCommand.Create,
    RestoreCommand.Create,
    WipeCommand.Create,
    OutboxCommand.Create,
    VerifyFeedCommand.Create,
    ReplayCommand.Create,
    DetectBenchCommand.Create,
    SimulateCommand.Create,
    DemoCommand.Create,
    CompletionCommand.Create,
    SoakCommand.Create,
    PulsesCommand.Create,
];
foreach (var create in isGateway ? [RunCommand.Create] : commands)
{
    root.Add(create());
}

// A word that is not understood is bad input: 1 is an answer, such as a ledger that is not as it was written.
var parsed = root.Parse(args);
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(8) });
return parsed.Errors.Count > 0 && code == 1 ? Terminal.BadInput : code;
