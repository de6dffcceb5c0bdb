using EdgeGateway.Backup;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Storage;
using EdgeGateway.Uplinks.Mqtt;

namespace EdgeGateway.Wiping;

/// <summary>What a wipe takes away.</summary>
/// <param name="Files">Files with their bytes: the store, keys, passwords.</param>
/// <param name="Left">What it leaves, with the reason or the cure.</param>
internal sealed record WipeList(IReadOnlyList<(string Path, long Bytes)> Files, IReadOnlyList<string> Left);

/// <summary>What came of the retained messages of one uplink.</summary>
/// <param name="Uplink">The uplink.</param>
/// <param name="Topics">Its topics.</param>
/// <param name="Removed">Messages that the broker dropped.</param>
/// <param name="Problem">Why some may be left, with the cure; null when none is.</param>
internal sealed record RetainedOutcome(string Uplink, string Topics, int Removed, string? Problem);

/// <summary>Takes away what a gateway keeps of a site: for its last day.</summary>
/// <param name="site">The site.</param>
/// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
internal sealed class Wiper(SiteModel site, string configuration)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(35);

    // Retained messages come right behind the answer to a subscription; a broker that is slow gets so long after each.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    /// <summary>Looks at what there is.</summary>
    /// <exception cref="UnauthorizedAccessException">The directory may not be read.</exception>
    public WipeList Look()
    {
        List<string> left = [];
        List<(string, long)> files = [];
        var store = site.Storage.Directory;
        if (Directory.Exists(store))
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(store).Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(path);
                if (Directory.Exists(path) && (name is GoodCopy.DirectoryName or "restoring" || name.StartsWith("replaced-", StringComparison.Ordinal)))
                {
                    files.AddRange(Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => (f, new FileInfo(f).Length)));
                }
                else if (name.StartsWith("gateway.", StringComparison.Ordinal) && !Directory.Exists(path))
                {
                    files.Add((path, new FileInfo(path).Length));
                }
                else
                {
                    left.Add($"{path}: not made by the gateway");
                }
            }
        }

        var directory = Path.GetDirectoryName(Path.GetFullPath(configuration))!;
        foreach (var file in SiteFileList.Of(site, directory))
        {
            if (file.IsSecret && File.Exists(file.Path) && SiteFileList.Within(directory, file.Path) is not null)
            {
                files.Add((file.Path, new FileInfo(file.Path).Length));
            }
            else if (file.IsSecret)
            {
                left.Add($"{file.Path}: outside of {directory}; delete it by hand if nothing else uses it");
            }
        }

        files.AddRange(SiteFileList.SetAside(site, directory).Select(f => (f, new FileInfo(f).Length)));
        left.AddRange(SiteFileList.Unnamed(site, directory).Select(f => $"{f}: the configuration does not name it; delete it by hand if nothing else uses it"));
        left.Add($"{configuration}, profiles and certificates: they hold no password; 'apt purge edgegateway' removes those of the package");
        left.Add("backups and support bundles that were made, the journal, and what centres have received");
        left.Add("on flash (SD card, eMMC, SSD) deleted blocks stay readable with tools until they are used again: destroy the card, or keep the disk encrypted");
        return new(files, left);
    }

    /// <summary>Deletes the files, keys first and overwritten once.</summary>
    /// <returns>What could not be deleted, with the reason.</returns>
    public IReadOnlyList<string> Delete(WipeList list)
    {
        List<string> failed = [];
        foreach (var (path, bytes) in list.Files.OrderByDescending(f => IsSecret(f.Path)))
        {
            try
            {
                if (IsSecret(path) && bytes > 0)
                {
                    using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
                    file.Write(new byte[bytes]);
                    file.Flush(flushToDisk: true);
                }

                File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failed.Add($"{path}: {e.Message}");
            }
        }

        foreach (var directory in Directory.Exists(site.Storage.Directory) ? Directory.EnumerateDirectories(site.Storage.Directory).ToArray() : [])
        {
            if (!Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Any() && list.Files.Any(f => f.Path.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            {
                Directory.Delete(directory, recursive: true);
            }
        }

        Durable.FlushDirectory(site.Storage.Directory);
        return failed;
    }

    private bool IsSecret(string path) => path.EndsWith(LedgerKeyFile.Name, StringComparison.Ordinal) || SiteFileList.Within(site.Storage.Directory, path) is null;

    /// <summary>Has the brokers drop what they keep of this gateway: retained messages, and the session of its client.</summary>
    public async Task<IReadOnlyList<RetainedOutcome>> ForgetAsync(TimeProvider time, CancellationToken cancel)
    {
        List<RetainedOutcome> outcomes = [];
        foreach (var uplink in site.Uplinks.OfType<MqttUplinkModel>())
        {
            var topics = new FeedTopics(uplink.TopicRoot, site.SiteId, site.GatewayId);
            var removed = new List<string>();
            string? problem = null;
            try
            {
                problem = await ForgetAsync(MqttUplinkOptions.For(uplink, topics), topics.All, removed, time, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or TimeoutException)
            {
                problem = e.Message;
            }

            outcomes.Add(new(uplink.Id, topics.All, removed.Count, problem is null ? null : $"{problem}. By hand, with the right to publish there: mosquitto_sub --remove-retained --retained-only -t '{topics.All}' -W 5 -h HOST"));
        }

        return outcomes;
    }

    private static async Task<string?> ForgetAsync(MqttClientOptions options, string filter, List<string> removed, TimeProvider time, CancellationToken cancel)
    {
        var kept = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var outcome = new TaskCompletionSource<MqttDisconnected?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var client = new MqttClient(options with { CleanStart = true, SessionExpiry = TimeSpan.Zero, Will = null }, time)
        {
            Connected = _ => outcome.TrySetResult(null),
            Disconnected = lost => outcome.TrySetResult(lost),
            MessageReceived = (message, _) =>
            {
                if (message.Retain)
                {
                    kept.Enqueue(message.Topic);
                }

                return ValueTask.CompletedTask;
            },
        };
        _ = client.RunAsync(CancellationToken.None);
        if (await outcome.Task.WaitAsync(ConnectLimit, time, cancel).ConfigureAwait(false) is { } refused)
        {
            return $"the broker could not be asked ({refused.Reason})";
        }

        if (!(await client.SubscribeAsync(filter, cancel: cancel).AsTask().WaitAsync(ConnectLimit, time, cancel).ConfigureAwait(false)).Granted)
        {
            return "the broker does not let the gateway read its own topics, so nobody knows what it keeps";
        }

        do
        {
            await Task.Delay(Quiet, time, cancel).ConfigureAwait(false);
            while (kept.TryDequeue(out var topic))
            {
                var published = await client.PublishAsync(topic, ReadOnlyMemory<byte>.Empty, retain: true, cancel: cancel).AsTask().WaitAsync(ConnectLimit, time, cancel).ConfigureAwait(false);
                if (published.Status != PublishStatus.Delivered)
                {
                    return $"the broker did not take the deletion of {topic} ({published.Status})";
                }

                removed.Add(topic);
            }
        }
        while (!kept.IsEmpty);
        await client.DisconnectAsync(cancel).ConfigureAwait(false);
        return null;
    }
}
