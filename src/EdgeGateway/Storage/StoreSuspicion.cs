using System.Globalization;
using System.Text;

namespace EdgeGateway.Storage;

/// <summary>What <c>gateway.suspect</c> says: that the next opening must salvage, why, and what it must not carry over.</summary>
/// <param name="Reason">For a person.</param>
/// <param name="Batch">First batch of the sample log that cannot be replayed although its bytes are whole; null when there is none.</param>
/// <param name="Checkpoint">Log number of the first checkpoint that cannot be used although its bytes are whole; null when there is none.</param>
internal sealed record StoreSuspicion(string Reason, long? Batch, long? Checkpoint)
{
    private const string BatchLine = "\nnot-replayable-from-batch ";
    private const string CheckpointLine = "\nnot-usable-from-checkpoint ";

    /// <summary>The note, or null when there is none.</summary>
    public static StoreSuspicion? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var text = File.ReadAllText(path);
        var end = new[] { text.IndexOf(BatchLine, StringComparison.Ordinal), text.IndexOf(CheckpointLine, StringComparison.Ordinal), text.Length }.Where(i => i >= 0).Min();
        return new StoreSuspicion(text[..end], NumberAfter(text, BatchLine), NumberAfter(text, CheckpointLine));
    }

    /// <summary>Writes the note so that it survives a power cut; what an earlier one says about batches and checkpoints stays in force.</summary>
    public void Write(string path)
    {
        var earlier = Read(path);
        var text = new StringBuilder(Reason.ReplaceLineEndings(" "));
        Append(text, BatchLine, Batch, earlier?.Batch);
        Append(text, CheckpointLine, Checkpoint, earlier?.Checkpoint);
        Durable.WriteText(path, text.ToString());
    }

    private static void Append(StringBuilder text, string line, long? number, long? earlier)
    {
        var least = Math.Min(number ?? long.MaxValue, earlier ?? long.MaxValue);
        if (least < long.MaxValue)
        {
            text.Append(line).Append(least.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static long? NumberAfter(string text, string line)
    {
        var at = text.IndexOf(line, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var digits = text.AsSpan(at + line.Length);
        var end = digits.IndexOf('\n');
        return long.TryParse(end < 0 ? digits : digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
