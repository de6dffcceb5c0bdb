using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Configuration;

/// <summary>Passwords that the service manager hands to the service alone, checked by somebody else.</summary>
public sealed class CredentialFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-credential-").FullName;

    [Theory]
    [InlineData("/run/credentials/edgegateway.service/secret_broker", true)] // only there while the service runs: systemd.exec(5)
    [InlineData("/run/elsewhere/secret_broker", false)]
    public void S_6_a_credential_of_the_service_is_no_error_to_who_checks_outside_of_it(string path, bool isTaken)
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
              - { id: centre, type: mqtt, servers: ["mqtts://centre.example"], username: gw-01, passwordFile: {{path}} }
            """);
        var site = SiteFiles.Find(file, RepositoryFiles.At("device-profiles")).Load(file, out var problems);
        Assert.Equal(isTaken, site is not null);
        Assert.Equal(isTaken, !problems.Any(p => p.What.Contains("passwordFile", StringComparison.Ordinal)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
