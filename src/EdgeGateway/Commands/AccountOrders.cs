using System.CommandLine;
using System.Net;
using System.Text.Json;
using EdgeGateway.Control;

namespace EdgeGateway.Commands;

/// <summary>Sends what a person says about the accounts to the running gateway.</summary>
internal static class AccountOrders
{
    public static Option<string> Reason() => new("--reason") { Description = "Why; it stands in the record beside your name.", HelpName = "TEXT", DefaultValueFactory = _ => "" };

    /// <returns>Exit code: 0 done and on the disk, 1 no gateway answers, 2 refused.</returns>
    public static async Task<int> SendAsync(AccountOrderDocument order, string configuration, string? profiles, string? done, CancellationToken cancel)
    {
        using var client = StatusCommand.Connect(configuration, profiles, out var code);
        if (client is null)
        {
            return code;
        }

        try
        {
            var after = await client.PostAsync(
                "accounts/order", order, ControlJson.Default.AccountOrderDocument, ControlJson.Default.AccountsDocument, cancel).ConfigureAwait(false);
            Console.WriteLine(done ?? JsonSerializer.Serialize(after, ControlJson.Default.AccountsDocument));
            return Terminal.Success;
        }
        catch (HttpRequestException e)
        {
            return Terminal.Fail(e.Message, e.StatusCode == HttpStatusCode.UnprocessableEntity ? Terminal.BadInput : Terminal.Failure);
        }
    }
}
