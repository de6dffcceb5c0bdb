namespace EdgeGateway.Core.Writing;

/// <summary>What somebody wants written. A command line, a remote command and an expiry all ask with this.</summary>
/// <param name="Device">Id of the device.</param>
/// <param name="Point">Id of the point.</param>
/// <param name="Value">A number in the point's unit or the symbol of a state, as it was asked for.</param>
/// <param name="For">How long the value shall hold before the safe value is written; null: as the site says.</param>
/// <param name="Reason">Why, in the asker's words; may be empty.</param>
/// <param name="Who">Who asks, in words: <c>maria (uid 1000)</c>.</param>
public sealed record WriteRequest(string Device, string Point, string Value, TimeSpan? For, string Reason, string Who);
