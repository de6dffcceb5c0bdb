using System.CommandLine;
using EdgeGateway.Commands.Demo;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway demo</c>: a simulated mine, the gateway, a real broker, and what arrives behind it.</summary>
internal static class DemoCommand
{
    private const int DefaultSeconds = 3600;

    public static Command Create()
    {
        var tour = new Option<bool>("--tour") { Description = "Play a script of 2 to 3 minutes: belt slip, stuck analyser, dead meter, broker outage. Exit code 1 when something was not seen." };
        var plain = new Option<bool>("--plain") { Description = "Lines instead of a table; so too when the output is not a terminal." };
        var seconds = new Option<int>("--seconds") { Description = "End after this time.", HelpName = "N", DefaultValueFactory = _ => DefaultSeconds };
        seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 86_400)
            {
                result.AddError("--seconds takes 1 to 86400: the centre of the demo remembers every record.");
            }
        });
        var command = new Command(
            "demo",
            """
            See the whole way of the data, with nothing to configure: a private MQTT broker (mosquitto; installed by apt-get when it is
            missing and you are root), a simulated mine behind Modbus TCP, the gateway as a process of its own, and a table of what the
            broker delivers. Faults by keys: belt slip, stuck analyser, dead meter, broker outage. The last line of the table counts from
            the sequence numbers what is missing or doubled. Everything runs on loopback, in a directory that is removed at the end.
            """) { tour, plain, seconds };
        command.SetAction((result, cancel) => Performance.RunAsync(
            new DemoOptions(result.GetValue(tour), result.GetValue(plain) || Console.IsOutputRedirected, TimeSpan.FromSeconds(result.GetValue(seconds))), cancel));
        return command;
    }
}
