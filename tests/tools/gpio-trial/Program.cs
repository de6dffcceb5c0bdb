using EdgeGateway.GpioTrial;

// Runs in the virtual machine of tests/hardware-vm, as root.
// gpio-trial run quick|long [NAME]         makes chips, drives them, and prints one line of facts for each trial (or those whose name begins so): name, then key=value, divided by tabs
// gpio-trial take LINE                     takes a line until its standard input ends: the other program
// gpio-trial open CHIP                     opens a chip and prints what it was told
// gpio-trial keep SOCKET LINE STATE STOP   counts a line that outlives it: see Keeper
switch (args)
{
    case ["run", "quick" or "long", .. { Length: < 2 } only]:
        await Trials.RunAsync(isLong: args[1] == "long", only.FirstOrDefault());
        return 0;
    case ["take", var line]:
        return Others.Take(line);
    case ["open", var chip]:
        return Others.Open(chip);
    case ["keep", var socket, var line, var state, var stop]:
        return await Keeper.RunAsync(socket, line, state, stop);
    default:
        Console.Error.WriteLine("usage: gpio-trial run quick|long [NAME] | take LINE | open CHIP | keep SOCKET LINE STATE STOP");
        return 2;
}
