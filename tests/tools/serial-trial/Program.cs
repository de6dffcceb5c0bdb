using EdgeGateway.SerialTrial;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// Runs in the virtual machine of tests/hardware-vm, as root.
// serial-trial run quick|long   makes lines, disturbs them, and prints one line of facts for each trial: name, then key=value, divided by tabs
// serial-trial hold PORT        opens a port until its standard input ends: the other program
// serial-trial open PORT        opens a port and prints what it was told
switch (args)
{
    case ["run", "quick" or "long"]:
        await Trials.RunAsync(isLong: args[1] == "long");
        return 0;
    case ["hold", var port]:
        return await Others.HoldAsync(port);
    case ["open", var port]:
        return await Others.OpenAsync(port);
    default:
        Console.Error.WriteLine("usage: serial-trial run quick|long | hold PORT | open PORT");
        return 2;
}
