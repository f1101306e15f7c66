//! Stores that heed conditions, and one that does not.

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions,
    PutResult,
};

use super::*;

/// Takes every write, whatever its condition.
#[derive(Debug)]
struct Liar(InMemory);

impl std::fmt::Display for Liar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Liar")
    }
}

#[async_trait]
impl ObjectStore for Liar {
    async fn put_opts(
        &self,
        path: &Path,
        content: PutPayload,
        _: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.0.put_opts(path, content, PutOptions::default()).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.0.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.0.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

async fn both(store: Arc<dyn ObjectStore>) -> [Outcome; 2] {
    let document = Document::in_store(Arc::clone(&store), Path::from("document"));
    [create(&store, "object").await, replace(&document).await.unwrap()]
}

#[tokio::test]
async fn a_store_that_heeds_conditions_passes_and_nothing_stays_there() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    for outcome in both(Arc::clone(&store)).await {
        assert_eq!(outcome.word(), "ok", "{outcome:?}");
    }
    assert!(store.head(&Path::from("object-0")).await.is_err());
}

#[tokio::test]
async fn a_folder_of_this_machine_passes() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> =
        Arc::new(object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    assert_eq!(create(&store, "object").await.word(), "ok");
    let document = Document::in_folder(folder.path(), "document");
    assert_eq!(replace(&document).await.unwrap().word(), "ok");
}

#[tokio::test]
async fn a_store_that_takes_what_it_must_refuse_is_found_out() {
    let [create, replace] = both(Arc::new(Liar(InMemory::new()))).await;
    assert!(
        create.seen().contains("both were told that it is theirs"),
        "{create:?}"
    );
    assert!(
        replace.seen().contains("not there any more was taken"),
        "{replace:?}"
    );
    assert!(create.remedy().unwrap().contains("If-None-Match"), "{create:?}");
}
