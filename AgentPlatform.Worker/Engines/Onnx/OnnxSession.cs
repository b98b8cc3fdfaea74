using Microsoft.ML.OnnxRuntime;
using SessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace AgentPlatform.Worker.Engines.Onnx;

/// <summary>Opens models in ONNX Runtime as configuration says.</summary>
internal static class OnnxSession
{
    /// <summary>Opens the model at <paramref name="path"/>.</summary>
    /// <param name="path">The model.</param>
    /// <param name="options">Where it is computed.</param>
    /// <param name="threads">Threads for one computation unless <paramref name="options"/> says otherwise.</param>
    /// <exception cref="InvalidDataException">
    /// The file is missing, is not a model, does not fit into memory, or the runtime lacks what the options ask for.
    /// </exception>
    public static InferenceSession Open(string path, OnnxOptions options, int threads)
    {
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"The model {path} does not exist.");
        }

        using var session = new SessionOptions { IntraOpNumThreads = options.IntraOpThreads ?? threads, InterOpNumThreads = 1 };

        // Its warnings are about how a graph was exported, and go to standard error beside the log.
        session.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR;

        // Threads that wait by spinning take the cores from the rest of the process, and in a container from its quota.
        session.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (options.ExecutionProvider == "cuda")
        {
            AddCuda(session, options.DeviceId);
        }

        try
        {
            return new InferenceSession(path, session);
        }
        catch (OnnxRuntimeException e) when (e.Message.Contains("std::bad_alloc", StringComparison.Ordinal))
        {
            throw new InsufficientMemoryException($"The model {path} does not fit into memory.", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException($"The model {path} cannot be loaded: {e.Message}", e);
        }
    }

    private static void AddCuda(SessionOptions session, int deviceId)
    {
        try
        {
            session.AppendExecutionProvider_CUDA(deviceId);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
        {
            throw new InvalidDataException(
                "Onnx:ExecutionProvider is 'cuda', but this build's ONNX Runtime cannot use it: the worker must be built with the package "
                + "Microsoft.ML.OnnxRuntime.Gpu instead of Microsoft.ML.OnnxRuntime, and libonnxruntime_providers_cuda.so, CUDA and cuDNN "
                + $"must be there ({e.Message.ReplaceLineEndings(" ")}).",
                e);
        }
    }
}
