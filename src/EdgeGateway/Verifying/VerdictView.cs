using EdgeGateway.Core.Feed;
using Spectre.Console;

namespace EdgeGateway.Verifying;

/// <summary>A verdict as a person reads it: the table, what is explained and why, what is missing, the last line.</summary>
internal static class VerdictView
{
    private const int MaxAbsences = 20;

    public static void Show(FeedVerdict verdict)
    {
        var ledger = verdict.Ledger;
        if (ledger.Streams.Count > 0)
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("gateway", "stream", "epoch");
            foreach (var column in (string[])["last", "received", "again", "explained", "missing", "out of order"])
            {
                table.AddColumn(new TableColumn(column).RightAligned());
            }

            foreach (var stream in ledger.Streams)
            {
                table.AddRow(
                    Markup.Escape($"{stream.Key.Site}/{stream.Key.Gateway}"), stream.Key.Stream.Word(), $"{stream.Key.Epoch}", $"{stream.LastKnown}", $"{stream.Received}",
                    $"{stream.Redelivered}", $"{stream.Explained}", stream.Missing == 0 ? "0" : $"[red]{stream.Missing}[/]", $"{stream.OutOfOrder}");
            }

            AnsiConsole.Write(table);
        }

        foreach (var stream in ledger.Streams)
        {
            foreach (var e in stream.Explanations)
            {
                AnsiConsole.MarkupLineInterpolated($"{stream.Key}: {e.Count} {e.State.Word()} ({e.Reason}{Span(e.From, e.To)}): {FeedVerdict.List(e.Ranges)}");
            }

            if (stream.Beginning is not null and > 1)
            {
                AnsiConsole.MarkupLineInterpolated($"[grey]{stream.Key}: judged from {stream.Beginning} on, where listening began[/]");
            }
        }

        foreach (var absence in ledger.Absences.Take(MaxAbsences))
        {
            AnsiConsole.MarkupLineInterpolated($"{absence.Site}/{absence.Gateway}: nothing acquired ({absence.Reason}{Span(absence.From, absence.To)})");
        }

        Notes(verdict);
        foreach (var finding in verdict.Findings)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{finding}[/]");
        }

        if (verdict.IsProven)
        {
            AnsiConsole.MarkupLineInterpolated($"[green]PROVEN[/]: {ledger.Received} records, no unexplained gap, no duplicate{(verdict.Deep ? ", also not under another number" : " (under another number: not looked for, --deep)")}. {ledger.Line}.");
            return;
        }

        AnsiConsole.MarkupLineInterpolated($"[red]NOT PROVEN[/]: {ledger.Line}.");
        foreach (var reason in verdict.Reasons())
        {
            AnsiConsole.MarkupLineInterpolated($"  {reason}");
        }
    }

    private static void Notes(FeedVerdict verdict)
    {
        if (verdict.Ledger.Absences.Count > MaxAbsences)
        {
            AnsiConsole.MarkupLineInterpolated($"and {verdict.Ledger.Absences.Count - MaxAbsences} more times in which nothing was acquired (--json names them)");
        }

        if (verdict.Ledger.EpochChanges > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"{verdict.Ledger.EpochChanges} new epochs: a store was lost or damaged; health records of kind new-epoch say why. What was numbered at the very end of the epoch before may not be known.");
        }

        if (verdict.Ledger.StatementsNotUnderstood > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"{verdict.Ledger.StatementsNotUnderstood} range statements are not understood and explain nothing.");
        }

        if (verdict.Ledger.OutOfOrder > 0 && !verdict.OrderRequired)
        {
            AnsiConsole.MarkupLineInterpolated($"{verdict.Ledger.OutOfOrder} first deliveries came after a later one of their lane: allowed where the broker refused a message for the moment (--require-order makes it part of the proof).");
        }

        if (verdict.Forgotten > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"The contents of {verdict.Forgotten} older records were forgotten (--remember keeps more): what came again of them was not compared.");
        }
    }

    private static string Span(Core.Instant? from, Core.Instant? to) => (from, to) switch
    {
        ({ } a, { } b) when a == b => $", {a}",
        ({ } a, { } b) => $", {a} to {b}",
        ({ } a, null) => $", from {a}",
        (null, { } b) => $", until {b}",
        _ => "",
    };
}
