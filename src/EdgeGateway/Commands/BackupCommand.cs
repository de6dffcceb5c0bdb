using System.CommandLine;
using EdgeGateway.Backup;
using EdgeGateway.Control;
using EdgeGateway.Storage;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway backup</c>: store, configuration and keys in one file.</summary>
internal static class BackupCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromHours(2);

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The backup to write, NAME.tar.gz; a file of that name is replaced once the new one is whole." };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var without = new Option<bool>("--without-keys") { Description = "Leave passwords and private keys out." };
        var command = new Command(
            "backup",
            """
            Write store, configuration, profiles and keys into one file, while the gateway runs or not; polls and deliveries go on.
            The file holds passwords and the key that signs the ledger: it is made for its owner alone (mode 0600). Keep it like them,
            or leave them out with --without-keys.
            """) { file, configuration, profiles, without };
        command.SetAction((result, cancel) => RunAsync(result.GetValue(file)!, result.GetValue(configuration)!, result.GetValue(profiles), !result.GetValue(without), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string path, string configuration, string? profiles, bool withKeys, CancellationToken cancel)
    {
        if (CommonOptions.Load(configuration, profiles) is not { } site)
        {
            return Terminal.BadInput;
        }

        var directory = site.Model.Storage.Directory;
        string? copy = null;
        try
        {
            copy = await CopyAsync(directory, path, cancel).ConfigureAwait(false);
            var manifest = BackupWriter.Write(path, site, configuration, copy, withKeys, TimeProvider.System);
            Console.WriteLine($"{path}: gateway {manifest.Gateway} of site {manifest.Site}, {manifest.Files.Count} files, {Words.Bytes(manifest.Files.Sum(f => f.Bytes))} of content, store of schema {manifest.StoreSchema}.");
            foreach (var left in manifest.NotIncluded)
            {
                Console.WriteLine($"  not in it: {left}");
            }

            if (withKeys)
            {
                Console.WriteLine("It holds passwords and private keys, readable by its owner alone: keep it like them.");
            }

            return Terminal.Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            return Terminal.Fail($"No backup was made: {e.Message}");
        }
        finally
        {
            if (copy is not null)
            {
                Forget(copy);
            }
        }
    }

    /// <summary>Deletes the copy; that it stays says nothing against the backup.</summary>
    private static void Forget(string copy)
    {
        try
        {
            StoreCopy.Delete(copy);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{copy} is of no more use and could not be deleted: {e.Message}");
        }
    }

    /// <summary>A copy of the store: made by the gateway that runs, else from its files.</summary>
    private static async Task<string> CopyAsync(string directory, string path, CancellationToken cancel)
    {
        using (var client = ControlClient.TryConnect(directory))
        {
            if (client is not null)
            {
                return await client.PostAsync("backup", "", ControlJson.Default.String, ControlJson.Default.String, cancel, Patience).ConfigureAwait(false);
            }
        }

        var files = new StoreFiles(directory);
        if (!File.Exists(files.Database))
        {
            throw new IOException($"There is no store in {directory}: the first start of the gateway makes it.");
        }

        using var held = StoreLock.Take(directory);
        var copy = path + ".store";
        try
        {
            StoreCopy.MakeOf(files, copy);
            return copy;
        }
        catch
        {
            Forget(copy);
            throw;
        }
    }
}
