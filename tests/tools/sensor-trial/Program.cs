using EdgeGateway.SensorTrial;

// Runs in the virtual machine of tests/hardware-vm, as root: makes chips, drives them, and prints one line of facts for each trial: name, then key=value, divided by tabs.
if (args is not ["run", "quick" or "long"])
{
    Console.Error.WriteLine("usage: sensor-trial run quick|long");
    return 2;
}

await Trials.RunAsync();
return 0;
