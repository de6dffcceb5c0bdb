namespace EdgeGateway.Doctoring;

/// <summary>A check: its name in the output, and what looks. It changes nothing on this computer and writes to no device.</summary>
/// <param name="Name">Its name, one word; never renamed.</param>
/// <param name="LookAsync">Finds out; an exception becomes a line that says that it could not be looked at.</param>
internal sealed record Check(string Name, Func<Patient, CancellationToken, ValueTask<IReadOnlyList<Finding>>> LookAsync)
{
    /// <summary>A check that waits for nobody.</summary>
    public Check(string name, Func<Patient, IEnumerable<Finding>> look)
        : this(name, (patient, _) => ValueTask.FromResult<IReadOnlyList<Finding>>([.. look(patient)]))
    {
    }
}

/// <summary>The table of checks, in the order in which they are told: a new one is a file, a line here, a test and a row in <c>docs/doctor.md</c>.</summary>
internal static class Checks
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Check> All { get; } =
    [
        new("runtime", RuntimeCheck.Look),
        new("configuration", ConfigurationCheck.Look),
        new("gateway", GatewayCheck.Look),
        new("version", VersionCheck.Look),
        new("permissions", PermissionCheck.Look),
        new("store", StoreCheck.Look),
        new("disk", DiskCheck.Look),
        new("wear", WearCheck.Look),
        new("power", PowerCheck.Look),
        new("heat", HeatCheck.Look),
        new("clock", ClockCheck.Look),
        new("serial", SerialCheck.Look),
        new("gpio", GpioCheck.Look),
        new("ports", PortCheck.Look),
        new("network", NetworkCheck.Look),
        new("certificates", CertificateCheck.Look),
        new("broker", BrokerCheck.LookAsync),
    ];
}
