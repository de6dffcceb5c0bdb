namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Which server is tried next: the list in order of preference, and where a server sends us, if that is allowed.</summary>
internal sealed class ServerRoute(MqttClientOptions options)
{
    /// <summary>Servers that send us around in a circle are left after so many steps.</summary>
    private const int MaxSteps = 5;

    private readonly Uri[] _servers = [.. options.Servers];
    private int _steps;

    public int Count => _servers.Length;

    public Uri this[int index] => _servers[index];

    /// <summary>A server has kept us for a while.</summary>
    public void Stayed() => _steps = 0;

    /// <summary>
    /// Where the server sent us, or null when it did not, or when we do not follow; then the words say why. A server that has moved (0x9D) is
    /// replaced in the list as long as the client lives. MQTT 5.0, 4.13.
    /// </summary>
    /// <param name="index">Place of the server in the list.</param>
    /// <param name="server">The server that sent us.</param>
    /// <param name="loss">What it said; replaced when the reference is not followed.</param>
    public Uri? Follow(int index, Uri server, ref ConnectionLoss loss)
    {
        if (loss.Reference is not { } references)
        {
            return null;
        }

        foreach (var reference in references.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Resolve(server, reference) is not { } target || !IsAllowed(target))
            {
                continue;
            }

            if (++_steps > MaxSteps)
            {
                _steps = 0;
                loss = loss with { Reason = $"{loss.Reason}: sent to '{references}', but {MaxSteps} servers in a row have sent us on" };
                return null;
            }

            if (loss.Code == MqttReasonCode.ServerMoved)
            {
                _servers[index] = target;
            }

            return target;
        }

        loss = loss with { Reason = $"{loss.Reason}: sent to '{references}', which is not among the allowed server references, so not followed" };
        return null;
    }

    /// <summary>The reference as an address of the same scheme and path; null when it is none.</summary>
    private static Uri? Resolve(Uri server, string reference) =>
        Uri.TryCreate($"{server.Scheme}://{reference}{(server.AbsolutePath == "/" ? "" : server.AbsolutePath)}", UriKind.Absolute, out var target)
            && target.Host.Length > 0 && target.UserInfo.Length == 0
            ? target
            : null;

    private bool IsAllowed(Uri target)
    {
        foreach (var allowed in options.AllowedServerReferences)
        {
            if (Resolve(target, allowed) is { } entry
                && string.Equals(entry.IdnHost, target.IdnHost, StringComparison.OrdinalIgnoreCase)
                && (entry.Port == target.Port || !HasPort(allowed)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasPort(string reference) => reference.LastIndexOf(':') > reference.LastIndexOf(']');
}
