using System.Runtime.Versioning;
using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Configuration;

/// <summary>Passwords that the service manager hands to the service alone, checked by somebody else.</summary>
[SupportedOSPlatform("linux")]
public sealed class CredentialFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-credential-").FullName;

    [Theory]
    [InlineData("/run/credentials/edgegateway.service/secret_broker", true)] // only there while the service runs: systemd.exec(5)
    [InlineData("/run/elsewhere/secret_broker", false)]
    public void S_6_a_credential_of_the_service_is_no_error_to_who_checks_outside_of_it(string path, bool isTaken)
    {
        var site = Load($"passwordFile: {path}", out var problems);
        Assert.Equal(isTaken, site is not null);
        Assert.Equal(isTaken, !problems.Any(p => p.What.Contains("passwordFile", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("passwordFile", "broker", "sudo install -m 600 /dev/stdin ")]
    [InlineData("certificateFile: gateway.pem, keyFile", "gateway.key", "sudo install -m 600 FILE.pem ")]
    public void S_6_who_may_see_what_the_service_is_handed_is_told_what_is_missing_and_how_to_mend_it(string keys, string name, string cure)
    {
        var secrets = Directory.CreateDirectory(Path.Combine(_folder, "secrets")).FullName;
        File.WriteAllText(Path.Combine(_folder, "gateway.pem"), "");
        Assert.Null(Load($"{keys}: /run/credentials/edgegateway.service/secret_{name}", out var problems));

        var problem = Assert.Single(problems, p => p.Severity == ProblemSeverity.Error);
        Assert.Contains($"will not be handed to the service: {secrets}/{name} does not exist", problem.What, StringComparison.Ordinal);
        Assert.StartsWith($"{cure}{secrets}/{name}", problem.Cure, StringComparison.Ordinal);

        // Once it is there, whoever may read it uses it: a broker is tried with the password that the service will have.
        File.WriteAllText(Path.Combine(secrets, name), "told");
        File.SetUnixFileMode(Path.Combine(secrets, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var uplink = Assert.IsType<MqttUplinkModel>(Assert.Single(Assert.IsType<LoadedSite>(Load($"{keys}: /run/credentials/edgegateway.service/secret_{name}", out _)).Model.Uplinks));
        Assert.Equal(Path.Combine(secrets, name), uplink.KeyFile ?? uplink.PasswordFile);
    }

    private LoadedSite? Load(string keys, out IReadOnlyList<Problem> problems)
    {
        var file = Path.Combine(_folder, "gateway.yaml");
        File.WriteAllText(file, $$"""
            schema: edgegateway/gateway/1
            site: { id: shaft-3, timezone: UTC, region: CN }
            gateway: { id: gw-01 }
            buses:
              - { id: computer, type: box }
            devices:
              - { id: gateway-computer, profile: generic-linux-computer, bus: computer, unit: 1 }
            uplinks:
              - { id: centre, type: mqtt, servers: ["mqtts://centre.example"], username: gw-01, {{keys}} }
            """);
        return SiteFiles.Find(file, RepositoryFiles.At("device-profiles")).Load(file, out problems);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
