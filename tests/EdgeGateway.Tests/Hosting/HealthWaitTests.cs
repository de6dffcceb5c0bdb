using System.Text.Json;
using EdgeGateway.Commands;
using EdgeGateway.Control;
using EdgeGateway.Tests.Telemetry;

namespace EdgeGateway.Tests.Hosting;

/// <summary>Whether an upgrade is taken back: for what is wrong since, never for what was wrong before.</summary>
public sealed class HealthWaitTests
{
    private const string Version = "1.2.3", Configuration = "0123456789abcdef";

    [Fact]
    public void A_sick_store_is_a_fault_of_an_upgrade_only_when_it_was_well_before()
    {
        var sick = Status("failing");
        Assert.StartsWith("the store is in the state failing", Judge(sick, null).Problem, StringComparison.Ordinal);
        Assert.StartsWith("the store is in the state failing", Judge(sick, Before(Status("ok"))).Problem, StringComparison.Ordinal);

        // Another sickness is a new one.
        Assert.StartsWith("the store is in the state failing", Judge(sick, Before(Status("disk-full"))).Problem, StringComparison.Ordinal);
        var (problem, asBefore) = Judge(sick, Before(Status("failing")));
        Assert.Null(problem);
        Assert.StartsWith("the store is in the state failing", Assert.Single(asBefore), StringComparison.Ordinal);
    }

    [Fact]
    public void A_loop_that_was_blocked_before_is_known_by_its_name_and_another_one_is_new()
    {
        var before = Before(Status("ok", "Blocked: bus line-1 has not turned for 70 s"));
        Assert.Null(Judge(Status("ok", "Blocked: bus line-1 has not turned for 31 s"), before).Problem);
        Assert.Equal("Blocked: bus line-2 has not turned for 31 s", Judge(Status("ok", "Blocked: bus line-1 has not turned for 31 s", "Blocked: bus line-2 has not turned for 31 s"), before).Problem);
    }

    [Fact]
    public void Without_a_reading_an_upgrade_is_not_well_unless_no_device_answered_before()
    {
        var silent = Status("ok") with { Samples = 0 };
        Assert.Equal("no reading has been taken yet", Judge(silent, Before(Status("ok"))).Problem);
        Assert.Null(Judge(silent, Before(Status("ok") with { Devices = [.. silent.Devices.Select(d => d with { Online = false })] })).Problem);
        Assert.Null(Judge(silent, Before(silent)).Problem);
    }

    [Fact]
    public void A_store_that_could_not_be_opened_before_either_explains_that_no_reading_is_counted()
    {
        var silent = Status("failing") with { Samples = 0 };
        Assert.Null(Judge(silent, Before(Status("failing"))).Problem);
        Assert.NotNull(Judge(silent, Before(Status("ok"))).Problem);

        // A store that is well again explains nothing.
        Assert.Equal("no reading has been taken yet", Judge(Status("ok") with { Samples = 0 }, Before(Status("failing"))).Problem);
    }

    [Fact]
    public void A_version_that_does_not_run_and_a_configuration_that_is_not_in_force_are_never_excused()
    {
        var status = Status("ok");
        Assert.Contains("has not been restarted", HealthWait.Judge(status, "2.0.0", Configuration, true, Before(status)).Problem, StringComparison.Ordinal);
        Assert.Contains("is in force, and the file says", HealthWait.Judge(status, Version, new string('f', 16), true, Before(status)).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"storage":null,"problems":[7],"devices":[]}""")]
    [InlineData("""{"storage":{},"problems":{},"devices":7}""")]
    public void A_document_of_another_version_excuses_nothing_that_it_does_not_tell(string json)
    {
        Assert.StartsWith("the store is in the state failing", Judge(Status("failing"), EarlierHealth.Of(json)).Problem, StringComparison.Ordinal);
        Assert.Equal("no reading has been taken yet", Judge(Status("ok") with { Samples = 0 }, EarlierHealth.Of(json)).Problem);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("No gateway is running")]
    public void What_is_no_status_is_refused(string text) => Assert.ThrowsAny<JsonException>(() => EarlierHealth.Of(text));

    private static (string? Problem, IReadOnlyList<string> AsBefore) Judge(StatusDocument status, EarlierHealth? before) => HealthWait.Judge(status, Version, Configuration, true, before);

    private static EarlierHealth Before(StatusDocument status) => EarlierHealth.Of(JsonSerializer.Serialize(status, ControlJson.Default.StatusDocument));

    private static StatusDocument Status(string store, params string[] problems)
    {
        var status = Measurements.Make().Status;
        return status with { Version = Version, Configuration = Configuration, Problems = problems, Storage = status.Storage! with { State = store } };
    }
}
