using Spectre.Console;

namespace EdgeGateway.Commands.Demo;

/// <summary>Shows the table and the events until cancelled.</summary>
internal static class Screens
{
    private const int EventsShown = 5;
    private static readonly TimeSpan LivePeriod = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PlainPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EventPeriod = TimeSpan.FromMilliseconds(200);

    /// <summary>For a terminal: one table that is drawn again and again.</summary>
    public static Task LiveAsync(Stage stage, string keys, CancellationToken cancel) =>
        AnsiConsole.Live(Table(stage, keys)).Overflow(VerticalOverflow.Ellipsis).StartAsync(async live =>
        {
            using var timer = new PeriodicTimer(LivePeriod, TimeProvider.System);
            do
            {
                live.UpdateTarget(Table(stage, keys));
            }
            while (await TickAsync(timer, cancel).ConfigureAwait(false));
        });

    /// <summary>For a file or a pipe: the table as a block of lines every five seconds, each event once.</summary>
    public static async Task PlainAsync(Stage stage, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(EventPeriod, TimeProvider.System);
        var shown = 0L;
        var next = TimeProvider.System.GetTimestamp();
        do
        {
            shown = PrintEvents(stage, shown);
            if (TimeProvider.System.GetElapsedTime(next) >= TimeSpan.Zero)
            {
                next += (long)(PlainPeriod.TotalSeconds * TimeProvider.System.TimestampFrequency);
                PrintBlock(stage);
            }
        }
        while (await TickAsync(timer, cancel).ConfigureAwait(false));
        PrintEvents(stage, shown);
    }

    /// <summary>The table as lines, once.</summary>
    public static void PrintBlock(Stage stage)
    {
        Console.WriteLine($"-- {stage.Clock.GetUtcNow():HH:mm:ss}");
        foreach (var line in Board.Make(stage))
        {
            Console.WriteLine($"   {line.Label,-17} {line.Text}");
        }
    }

    private static long PrintEvents(Stage stage, long shown)
    {
        foreach (var happened in stage.Events.After(shown))
        {
            Console.WriteLine($"{happened.Time:HH:mm:ss} {happened.Text}");
            shown = happened.Number;
        }

        return shown;
    }

    private static Rows Table(Stage stage, string keys)
    {
        var table = new Table().Border(TableBorder.Rounded).Expand().HideHeaders().AddColumn(new TableColumn("").NoWrap()).AddColumn("");
        table.Title = new TableTitle($"North Shaft, a simulated mine, as the broker delivers it   {stage.Clock.GetUtcNow():HH:mm:ss} UTC (demo clock, {Words.Span(stage.Clock.Shift)} ahead)");
        foreach (var line in Board.Make(stage))
        {
            table.AddRow(new Text(line.Label, Of(Tone.Quiet)), new Text(line.Text, Of(line.Tone)));
        }

        var events = stage.Events.After(0).TakeLast(EventsShown).Select(e => new Text($"{e.Time:HH:mm:ss} {e.Text}", Of(e.Tone)));
        return new Rows([table, .. events, new Text(keys, Of(Tone.Quiet))]);
    }

    private static Style Of(Tone tone) => tone switch
    {
        Tone.Good => new Style(Color.Green),
        Tone.Bad => new Style(Color.Red),
        Tone.Quiet => new Style(Color.Grey),
        _ => Style.Plain,
    };

    private static async Task<bool> TickAsync(PeriodicTimer timer, CancellationToken cancel)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
