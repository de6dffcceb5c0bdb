using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;

namespace EdgeGateway.Backup;

/// <summary>What a restore writes.</summary>
/// <param name="From">Entry of the backup.</param>
/// <param name="To">The file.</param>
/// <param name="Replaces">Whether another file is there.</param>
internal sealed record RestoreStep(BackupFile From, string To, bool Replaces);

/// <summary>A restore that has been checked: nothing is written yet.</summary>
/// <param name="Manifest">What the backup holds.</param>
/// <param name="Store">Directory of the store.</param>
/// <param name="Steps">What is written, the store first.</param>
/// <param name="HasStore">Whether there is a store already.</param>
internal sealed record RestorePlan(BackupManifest Manifest, string Store, IReadOnlyList<RestoreStep> Steps, bool HasStore)
{
    /// <summary>What is there already and would be replaced.</summary>
    public IReadOnlyList<string> Replaced => [.. HasStore ? [$"the store in {Store}"] : Array.Empty<string>(), .. Steps.Where(s => s.Replaces).Select(s => s.To)];
}

/// <summary>Puts a backup back: all of it is checked before anything is touched, and what it replaces is set aside.</summary>
/// <param name="backup">The backup.</param>
/// <param name="configuration">Where <c>gateway.yaml</c> goes.</param>
/// <param name="time">Dates what is set aside; the new epoch is taken from it.</param>
internal sealed class Restorer(string backup, string configuration, TimeProvider time)
{
    private const string Workshop = "restoring";

    /// <summary>End of the name of a file while it is written.</summary>
    internal const string Staged = ".restoring";

    /// <summary>Between the name of a file and when it was set aside.</summary>
    internal const string Replaced = ".replaced-";

    private readonly string _directory = Path.GetDirectoryName(Path.GetFullPath(configuration))!;

    /// <summary>Reads the whole backup and says what a restore would do.</summary>
    /// <exception cref="InvalidDataException">The backup is not what was written, or this program cannot use it; the message says why.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public RestorePlan Plan()
    {
        var texts = new Dictionary<string, MemoryStream>(StringComparer.Ordinal);
        var manifest = BackupReader.Read(backup, file => file.Path.StartsWith(BackupNames.Configuration, StringComparison.Ordinal) && !file.IsSecret ? texts[file.Path] = new MemoryStream() : null);
        if (manifest.StoreOldestReader > Schema.Version)
        {
            throw new InvalidDataException($"the store in {backup} is of a newer EdgeGateway ({manifest.Program}; it needs schema {manifest.StoreOldestReader}, this program knows {Schema.Version}). Install that version; nothing has been changed");
        }

        var site = Site(texts);
        var store = Path.GetFullPath(site.Storage.Directory, _directory);
        var files = new StoreFiles(store);
        var shipped = SiteFiles.Find(configuration, null);
        var hasStore = HasStore(store);
        List<RestoreStep> steps = [];
        foreach (var file in manifest.Files)
        {
            if (file.Path.StartsWith(BackupNames.Store, StringComparison.Ordinal))
            {
                // A store that is there is set aside whole; a key without one is a file like any other.
                var place = Path.Combine(store, Path.GetFileName(file.Path));
                steps.Add(new(file, place, !hasStore && File.Exists(place)));
                continue;
            }

            // A profile that is here with the same text, shipped with the program, say, stays where it is: a copy beside the configuration would hide its next revision.
            var to = file.Path == BackupNames.GatewayText ? Path.GetFullPath(configuration) : Path.Combine(_directory, file.Path[BackupNames.Configuration.Length..]);
            if (file.Path.StartsWith(BackupNames.Configuration + "device-profiles/", StringComparison.Ordinal)
                && shipped.Text(Path.GetFileNameWithoutExtension(file.Path)) is { } known && known.Text == TextOf(texts[file.Path]))
            {
                continue;
            }

            var isThere = File.Exists(to);
            if (!isThere || Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(to))) != file.Sha256)
            {
                steps.Add(new(file, to, isThere));
            }
        }

        return new(manifest, store, steps, hasStore);
    }

    /// <summary>Does what the plan says. A backup that was changed since does not get that far.</summary>
    /// <returns>The epoch with which the store goes on, and where what it replaced was set aside; null when nothing was.</returns>
    /// <exception cref="InvalidDataException">The backup is not what was written.</exception>
    /// <exception cref="StoreException">A gateway runs with the store, or the copy is damaged.</exception>
    /// <exception cref="IOException">Something could not be written; what was there is in its place again, or the message says where it lies.</exception>
    /// <exception cref="UnauthorizedAccessException">Something may not be written; what was there is in its place again.</exception>
    public (long Epoch, string? Aside) Run(RestorePlan plan)
    {
        var files = new StoreFiles(plan.Store);
        MakeDirectory(plan.Store);
        using var held = StoreLock.Take(plan.Store);
        var lastEpoch = Math.Max(plan.Manifest.Epoch, StoreMarker.Read(files.Marker)?.Epoch ?? 0);
        var workshop = Path.Combine(plan.Store, Workshop);
        if (Directory.Exists(workshop))
        {
            Directory.Delete(workshop, recursive: true);
        }

        var stamp = time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var aside = plan.HasStore ? Path.Combine(plan.Store, $"replaced-{stamp}") : null;
        long epoch;
        try
        {
            MakeDirectory(workshop);
            var made = plan.Steps.Select((step, i) => (step.From.Path, Place: Path.Combine(workshop, i.ToString(CultureInfo.InvariantCulture)))).ToDictionary(m => m.Path, m => m.Place, StringComparer.Ordinal);
            BackupReader.Read(backup, file =>
            {
                if (!made.TryGetValue(file.Path, out var place))
                {
                    return null;
                }

                StoreCopy.MakePrivate(place);
                return new FileStream(place, FileMode.Open, FileAccess.Write);
            });
            epoch = StoreCopy.BeginAnew(made[BackupNames.Database], lastEpoch, string.Create(CultureInfo.InvariantCulture, $"restored from a backup of {plan.Manifest.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"), time);

            // All that can fail for want of room or rights comes before anything that is there is moved; what follows is renamed, within one file system.
            foreach (var step in plan.Steps)
            {
                Stage(made[step.From.Path], step, plan);
            }

            Switch(plan, files, aside, stamp, epoch);
        }
        catch
        {
            Forget(plan, workshop);
            throw;
        }

        Directory.Delete(workshop, recursive: true);
        Durable.FlushDirectory(plan.Store);
        Durable.FlushDirectory(_directory);
        GiveToOwner(plan);
        return (epoch, aside);
    }

    /// <summary>Puts a file beside the place where it goes, whichever file system that is on.</summary>
    private void Stage(string made, RestoreStep step, RestorePlan plan)
    {
        var staged = step.To + Staged;
        MakeDirectoryOf(step, plan);
        if (SiteFileList.Within(plan.Store, staged) is not null)
        {
            // Made there: a second copy of the store may find no room.
            File.Move(made, staged, overwrite: true);
            return;
        }

        StoreCopy.MakePrivate(staged);
        using var from = new FileStream(made, FileMode.Open, FileAccess.Read);
        using var to = new FileStream(staged, FileMode.Open, FileAccess.Write);
        from.CopyTo(to);
        to.Flush(flushToDisk: true);
    }

    /// <summary>Sets aside what is there and puts what was made in its place; on a fault all of it goes back.</summary>
    private static void Switch(RestorePlan plan, StoreFiles files, string? aside, string stamp, long epoch)
    {
        // What was moved, the newest last.
        Stack<(string From, string To)> moved = new();
        void Move(string from, string to)
        {
            File.Move(from, to, overwrite: true);
            moved.Push((from, to));
        }

        try
        {
            if (aside is not null)
            {
                // Only its lock stays.
                MakeDirectory(aside);
                foreach (var file in Directory.EnumerateFiles(files.Directory, "gateway.*").Where(f => !IsOfARun(f) && !f.EndsWith(Staged, StringComparison.Ordinal)).ToArray())
                {
                    Move(file, Path.Combine(aside, Path.GetFileName(file)));
                }

                Durable.FlushDirectory(files.Directory);
            }

            new StoreMarker(epoch).Write(files.Marker);
            foreach (var step in plan.Steps)
            {
                if (step.Replaces)
                {
                    Move(step.To, step.To + Replaced + stamp);
                }

                Move(step.To + Staged, step.To);
                Readable(step);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            PutBack(moved, files, aside, e);
            throw;
        }
    }

    private static void PutBack(Stack<(string From, string To)> moved, StoreFiles files, string? aside, Exception cause)
    {
        try
        {
            File.Delete(files.Marker);
            while (moved.TryPop(out var move))
            {
                File.Move(move.To, move.From, overwrite: true);
            }

            if (aside is not null)
            {
                Directory.Delete(aside);
            }

            Durable.FlushDirectory(files.Directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"{cause.Message} What was there could not be put back either ({e.Message}){(aside is null ? "" : $": the store lies in {aside}; move its files to {files.Directory} by hand")}.", cause);
        }
    }

    /// <summary>Takes away what a restore that failed has made; what it replaces is in its place.</summary>
    private static void Forget(RestorePlan plan, string workshop)
    {
        foreach (var step in plan.Steps)
        {
            TryDelete(() =>
            {
                if (File.Exists(step.To + Staged))
                {
                    File.Delete(step.To + Staged);
                }
            });
        }

        TryDelete(() => Directory.Delete(workshop, recursive: true));
    }

    // That something of no use stays says nothing against what failed, which is told; the next restore takes it away.
    private static void TryDelete(Action delete)
    {
        try
        {
            delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"A file of the restore is of no more use and could not be deleted: {e.Message}");
        }
    }

    private SiteModel Site(Dictionary<string, MemoryStream> texts)
    {
        SourceText? Text(string name) => texts.TryGetValue(BackupNames.Configuration + name, out var text) ? new SourceText(name, TextOf(text)) : null;
        SourceText? FactorText(string file)
        {
            var full = Path.GetFullPath(file, _directory);
            return (SiteFileList.Within(_directory, full) is { } name ? Text(name) : null) ?? SiteFiles.FactorText(full);
        }

        var site = SiteFiles.Load(Text(LoadedSite.GatewayText)!, id => Text($"device-profiles/{id}.yaml"), [], out _, out var problems, FactorText);
        return site ?? throw new InvalidDataException(
            $"this program cannot use the configuration in {backup}: {problems.FirstOrDefault(p => p.Severity == ProblemSeverity.Error)}. Install the version that made it");
    }

    private static string TextOf(MemoryStream text) => Encoding.UTF8.GetString(text.ToArray());

    /// <summary>Whether anything of a store is there: what only looks like remains, a write-ahead log say, must not become part of another.</summary>
    private static bool HasStore(string store) => Directory.Exists(store) && Directory.EnumerateFiles(store, "gateway.*").Any(f => !IsOfARun(f) && !f.EndsWith(Staged, StringComparison.Ordinal) && Path.GetFileName(f) is not (LedgerKeyFile.Name or LedgerKeyFile.PublicName));

    private static bool IsOfARun(string file) => Path.GetFileName(file) is "gateway.lock" or "gateway.pid" or "gateway.sock";

    private static void MakeDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    // What is no secret of a configuration is read by the service's group (docs/install.md).
    private static void Readable(RestoreStep step)
    {
        if (!OperatingSystem.IsWindows() && !step.From.IsSecret)
        {
            File.SetUnixFileMode(step.To, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        }
    }

    /// <summary>The directory of a file, as the service needs it: where no secret goes, its group may look in, as into the configuration's own.</summary>
    private void MakeDirectoryOf(RestoreStep step, RestorePlan plan)
    {
        var directory = Path.GetDirectoryName(step.To)!;
        if (Directory.Exists(directory))
        {
            return;
        }

        MakeDirectory(directory);
        if (!OperatingSystem.IsWindows() && SiteFileList.Within(_directory, directory) is not null && !plan.Steps.Any(s => s.From.IsSecret && Path.GetDirectoryName(s.To) == directory))
        {
            File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
            Ownership.Give(_directory, directory);
        }
    }

    /// <summary>
    /// Root restores for the service: files belong to whoever owns the directory in which they lie. Passwords and keys beside the configuration, which the service reads itself, belong to the
    /// owner of the store; those in the directory of secrets are handed over by systemd and stay root's.
    /// </summary>
    private void GiveToOwner(RestorePlan plan)
    {
        var beside = plan.Steps.Where(s => SiteFileList.Within(_directory, s.To) is not null && SiteFileList.Within(plan.Store, s.To) is null).ToLookup(s => s.From.IsSecret && !IsHandedOver(s.To), s => s.To);
        try
        {
            Ownership.Give(plan.Store, [.. Directory.EnumerateFileSystemEntries(plan.Store, "*", SearchOption.AllDirectories), .. beside[true]]);
            Ownership.Give(_directory, [.. beside[false]]);
        }
        catch (IOException e)
        {
            throw new IOException($"everything is restored, but {e.Message}", e);
        }
    }

    private bool IsHandedOver(string path) => Path.GetDirectoryName(path) == Path.GetFullPath(SiteFileList.SecretsDirectory, _directory);
}
