namespace AgentPlatform.Testing;

/// <summary>Waits for what another thread or process is about to do.</summary>
public static class Wait
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks again and again until the condition is true.</summary>
    /// <exception cref="TimeoutException">It has not become true within two minutes.</exception>
    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    /// <inheritdoc cref="UntilAsync(Func{bool})"/>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > _limit)
            {
                throw new TimeoutException($"The condition did not come true within {_limit}.");
            }

            await Task.Delay(_interval, TimeProvider.System);
        }
    }
}
