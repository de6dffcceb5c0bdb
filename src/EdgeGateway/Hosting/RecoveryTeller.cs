using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>Tells log and feed what a start has found: another configuration, another program, a store that was damaged or restored.</summary>
/// <param name="configuration">Hash of the configuration in force.</param>
/// <param name="post">Takes records for the next commit.</param>
/// <param name="log">The log.</param>
internal sealed class RecoveryTeller(string configuration, Action<Action<FeedEncoder, Instant>> post, ILogger log)
{
    /// <summary>Publishes what the store found at its opening.</summary>
    /// <param name="recovered">What was found.</param>
    /// <param name="isTransition">Whether another configuration comes into force.</param>
    /// <param name="commit">The next commit, which settles the report.</param>
    public void Tell(StateRecovery.Recovered recovered, bool isTransition, CommitBatch commit)
    {
        if (isTransition)
        {
            post((encoder, now) => encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Configuration,
                Text = recovered.CannotContinue is { } why
                    ? $"Another configuration is in force. {why}: open windows were lost and counters start from their next reading."
                    : "Another configuration is in force.",
                Fields = [new HealthField("configuration", configuration)],
            }));
        }

        if (recovered.CannotContinue is { } reason)
        {
            Log.StateNotTakenOver(log, reason);
        }

        if (recovered.Upgraded is { } upgraded)
        {
            Log.ReplayedOtherwise(log, upgraded);
            post((encoder, now) => encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Configuration,
                Text = $"Another version of the program is in force. Of the samples since the last checkpoint it makes other records than the version before ({upgraded}); what was published stands, and it goes on from there.",
                Fields = [new HealthField("program", ProgramVersion.Text)],
            }));
        }

        if (recovered.Store.Report is { } report)
        {
            if (report.IsRestore)
            {
                Log.StoreRestored(log, report.Cause, report.Epoch);
            }
            else
            {
                Log.StoreSalvaged(log, report.Cause, report.RowsSaved, report.BatchesSaved, report.SetAside, report.Epoch);
            }

            post((encoder, now) =>
            {
                encoder.Health(new HealthRecord
                {
                    Time = now,
                    Kind = HealthKind.NewEpoch,
                    Text = report.IsRestore
                        ? $"The store was {report.Cause}. Numbering starts again in a new epoch; what was acquired after the backup may have been published by the gateway before."
                        : $"The store was damaged ({report.Cause}). Readable rows were saved and numbering starts again in a new epoch.",
                    Fields =
                    [
                        new HealthField("rowsSaved", report.RowsSaved), new HealthField("batchesSaved", report.BatchesSaved),
                        new HealthField("rowsNotKept", report.RowsNotKept), new HealthField("setAside", report.SetAside),
                    ],
                });

                // What was numbered before, so that the receiver knows what it misses of the old epoch.
                foreach (var head in report.HeadsBefore.Where(h => h.Next > 1 && FeedHeads.IsSpokenAbout(h.Stream)))
                {
                    encoder.Range(new RangeRecord
                    {
                        Time = now,
                        Stream = head.Stream,
                        Epoch = head.Epoch,
                        First = 1,
                        Last = head.Next - 1,
                        State = RangeState.Issued,
                        Reason = report.IsRestore ? "the store was restored from a backup; numbers after this may have existed" : "the store was damaged; numbers after this may have existed",
                    });
                }

                // Of range statements that are gone nothing else tells before hours have passed.
                foreach (var loss in recovered.Store.UnpublishedLosses.Where(l => l.Reason == LossReason.Unreadable && l.Epoch < report.Epoch && !FeedHeads.IsSpokenAbout(l.Stream)))
                {
                    encoder.Range(LossNotices.Statement(loss, now));
                }

                commit.RecoveryReportPublished = true;
            });
        }
    }
}
